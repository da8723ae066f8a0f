// Where the tests' Chromium is. As a program it installs one when there is none, and prints its path.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from '@playwright/test';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** An install that takes longer hangs. */
const INSTALL_MS = 5 * 60 * 1000;

/** The path of a Chromium: `TABMESH_CHROMIUM`, else the system's, else Playwright's own; undefined when there is none. */
export function findChromium(): string | undefined {
  const wanted = process.env['TABMESH_CHROMIUM'];
  if (wanted !== undefined && wanted !== '') return wanted;
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  const system = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...system, chromium.executablePath()].find(isExecutable);
}

/**
 * Finds a Chromium, or installs one: Debian's where this is Debian and its root, else Playwright's, for this user.
 * @throws Error with one clear line when neither is to be had
 */
export function ensureChromium(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  const installed = isRootOfDebian()
    ? installs('apt-get', ['update']) && installs('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'])
    : installs('npx', ['--no-install', 'playwright', 'install', 'chromium']);
  const path = findChromium();
  if (!installed || path === undefined) {
    throw new Error('There is no Chromium, and none could be installed. Install one, or name it in TABMESH_CHROMIUM.');
  }
  return path;
}

function installs(command: string, args: readonly string[]): boolean {
  process.stderr.write(`No Chromium found: ${command} ${args.join(' ')}\n`);
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 2, 2],
    timeout: INSTALL_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

function isRootOfDebian(): boolean {
  return process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // missing or not for us: the next place may have one
    return false;
  }
}

if (import.meta.main) console.log(ensureChromium());

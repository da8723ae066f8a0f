#!/usr/bin/env node
// The command `tabmesh`. Plain JavaScript, and a Node of its own: MCP clients start it with whatever Node they have.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = 24;
const own = fileURLToPath(
  new URL(`../node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`, import.meta.url),
);

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  const { relayProgram } = await import('../scripts/relay-program.ts');
  await import(pathToFileURL(relayProgram()).href);
} else if (existsSync(own)) {
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
} else {
  console.error(
    `Tabmesh needs Node ${NEEDED}, and this is ${process.version}. Run "npm ci" in its folder: it installs one.`,
  );
  process.exit(1);
}

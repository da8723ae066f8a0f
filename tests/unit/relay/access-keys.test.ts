import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAccessCommand } from '../../../relay/access/command.ts';
import { changeKeys } from '../../../relay/access/key-file.ts';
import { openAccessKeys, type AccessKeys } from '../../../relay/access/keys.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { accessSecrets } from '../../../src/mesh/access/key.ts';

let dataDir: string;
let open: AccessKeys[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tabmesh-access-'));
});
afterEach(async () => {
  for (const keys of open) keys.close();
  open = [];
  await rm(dataDir, { recursive: true, force: true });
});

async function openKeys(onChange: () => void = () => undefined): Promise<AccessKeys> {
  const keys = await openAccessKeys({ dataDir, clock: systemClock, log: silentLog }, onChange);
  open.push(keys);
  return keys;
}

const command = (...args: string[]) => runAccessCommand([...args, '--data', dataDir], {});
const idOf = (text: string) => accessSecrets(Buffer.from(text.trim(), 'base64url')).id;

describe('the access keys of a relay', () => {
  it('are the same after a restart, readable by their owner alone', async () => {
    const first = (await openKeys()).own();
    expect((await openKeys()).own()).toEqual(first);
    const { mode } = await stat(join(dataDir, 'access', 'keys.json'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('are kept without what others hold', async () => {
    await openKeys();
    const key = (await command('create', 'the lab')).trim();
    const kept = await readFile(join(dataDir, 'access', 'keys.json'), 'utf8');
    expect(kept).toContain('the lab');
    expect(kept).not.toContain(key);
    expect(kept).not.toContain(Buffer.from(key, 'base64url').toString('hex'));
  });

  it('made and revoked beside a running relay count at once', async () => {
    const changes: number[] = [];
    const keys = await openKeys(() => changes.push(1));
    const id = idOf(await command('create', 'lab'));
    await expect.poll(() => keys.find(id)?.name, { timeout: 5_000 }).toBe('lab');
    await command('revoke', 'lab');
    await expect.poll(() => keys.find(id), { timeout: 5_000 }).toBeUndefined();
    expect(changes.length).toBeGreaterThanOrEqual(2);
  });

  it('have a new one for the invite when that is revoked', async () => {
    const keys = await openKeys();
    const before = keys.own();
    await command('revoke', 'invite');
    await expect.poll(() => Buffer.compare(keys.own(), before), { timeout: 5_000 }).not.toBe(0);
    expect(keys.find(accessSecrets(before).id)).toBeUndefined();
    expect(keys.find(accessSecrets(keys.own()).id)).toBeDefined();
  });

  it('are listed by name, without secrets', async () => {
    const keys = await openKeys();
    const made = (await command('create', 'lab')).trim();
    const list = await command('list');
    expect(list).toMatch(/^invite\t.*\nlab\t.*\n$/);
    expect(list).not.toContain(made);
    expect(list).not.toContain(Buffer.from(keys.own()).toString('base64url'));
  });

  it('survive changes from several processes at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => command('create', name)));
    const list = await command('list');
    for (const name of ['a', 'b', 'c', 'd']) expect(list).toMatch(new RegExp(`^${name}\t`, 'm'));
  });

  it.each([
    [['create', ''], 'invalid_input'],
    [['create', '../x'], 'invalid_input'],
    [['create', 'invite'], 'conflict'],
    [['revoke', 'nobody'], 'not_found'],
    [['forget', 'x'], 'invalid_input'],
    [['list', 'x'], 'invalid_input'],
  ] as const)('refuse %j as %s', async (args, code) => {
    await openKeys();
    await expect(command(...args)).rejects.toMatchObject({ code });
  });

  it('are not replaced when their file is damaged or newer', async () => {
    await openKeys();
    const path = join(dataDir, 'access', 'keys.json');
    await writeFile(path, '{"version":2}');
    await expect(changeKeys(dataDir, (keys) => keys)).rejects.toMatchObject({ code: 'format_newer' });
    await writeFile(path, '{"version":1,"keys":[{}]}');
    await expect(openKeys()).rejects.toMatchObject({ code: 'corrupt' });
  });
});

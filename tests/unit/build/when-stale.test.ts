import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildWhenStale } from '../../../scripts/build-inputs.ts';
import { RELAY, relayProgram } from '../../../scripts/relay-program.ts';

const LONG_AGO = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T00:00:01Z');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tabmesh-build-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function write(path: string, text = '', time = LONG_AGO): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  // a folder's time tells of what is new in it
  for (let each = file; each !== root; each = dirname(each)) await utimes(each, time, time);
}

describe('a build', () => {
  let made: number;
  let code: number;
  const build = (force = false) =>
    buildWhenStale({ name: 'it', inputs: [join(root, 'src')], stamp: join(root, 'it.sha256') }, force, async () => {
      made++;
      return code;
    });
  beforeEach(async () => {
    made = 0;
    code = 0;
    await write('src/deep/a.ts', 'one');
  });

  it('is made once, and anew when a file of it changes or goes', async () => {
    expect([await build(), await build(), made]).toEqual([0, 0, 1]);
    await write('src/deep/a.ts', 'two');
    expect([await build(), await build(), made]).toEqual([0, 0, 2]);
    await rm(join(root, 'src/deep/a.ts'));
    expect([await build(), made]).toEqual([0, 3]);
  });

  it('is not made anew for the time of a file alone, unless it is forced', async () => {
    await build();
    await utimes(join(root, 'src/deep/a.ts'), LATER, LATER);
    expect([await build(), made]).toEqual([0, 1]);
    expect([await build(true), made]).toEqual([0, 2]);
  });

  it('that failed is tried again', async () => {
    await build();
    await write('src/deep/a.ts', 'two');
    code = 3;
    expect([await build(), await build(), made]).toEqual([3, 3, 3]);
    await write('src/deep/a.ts', 'one');
    code = 0;
    expect([await build(), made]).toEqual([0, 4]);
  });
});

describe("the relay's program", () => {
  const BUILT = 'dist/relay/main.mjs';
  const SOURCE = 'relay/main.ts';
  const program = () => relayProgram(root).slice(root.length + 1);
  beforeEach(async () => {
    for (const input of RELAY.inputs) await write(/\.\w+$/.test(input) ? input : `${input}/main.ts`);
  });

  it('is run from source when none is built', () => {
    expect(program()).toBe(SOURCE);
  });

  it('is the built one until a source is newer, or gone', async () => {
    await write(RELAY.stamp, '', LATER);
    expect(program()).toBe(BUILT);
    await write('src/mesh/room.ts', '', new Date(LATER.getTime() + 1));
    expect(program()).toBe(SOURCE);
    await write('src/mesh/room.ts');
    expect(program()).toBe(BUILT);
    await rm(join(root, 'src/mesh/room.ts'));
    expect(program()).toBe(SOURCE);
  });
});

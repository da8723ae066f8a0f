import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../../relay/data-dir/lock.ts';
import { lookUpProcess } from '../../../relay/data-dir/process-start.ts';
import { writeFileAtomic } from '../../../relay/data-dir/atomic-file.ts';
import { failureCode } from '../../support/tools.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-data-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the lock of a data folder', () => {
  it('is held by one at a time, and leaves nothing behind', async () => {
    const lock = await lockDataDir(folder);
    expect(await failureCode(() => lockDataDir(folder))).toBe('conflict');
    await lock.release();
    await lock.release();
    const again = await lockDataDir(folder);
    await again.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['a process that has ended', JSON.stringify({ pid: 2 ** 30, start: null })],
    ['a process id that another process has now', JSON.stringify({ pid: process.pid, start: 'an older one' })],
    ['a power cut in mid-write', ''],
    ['something else', '{"pid":"x"}'],
  ])('left by %s is taken over', async (_what, text) => {
    await writeFile(join(folder, 'lock'), text);
    const lock = await lockDataDir(folder);
    expect(JSON.parse(await readFile(join(folder, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  it('that is stale is taken over by one of many that try at once', async () => {
    await writeFile(join(folder, 'lock'), JSON.stringify({ pid: 2 ** 30, start: null }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(folder)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['lock']);
  });

  it('can be taken over although a process died while taking it over', async () => {
    await writeFile(join(folder, 'lock'), '');
    await mkdir(join(folder, 'lock.takeover'));
    const { utimes } = await import('node:fs/promises');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(join(folder, 'lock.takeover'), longAgo, longAgo);
    const lock = await lockDataDir(folder);
    await lock.release();
  });
});

describe('a process', () => {
  it('is known by its start, which another process with the same id would not have', async () => {
    const self = await lookUpProcess(process.pid);
    const parent = await lookUpProcess(process.ppid);
    expect(self.running).toBe(true);
    expect(self.start).not.toBeNull();
    expect(self.start).not.toBe(parent.start);
    expect((await lookUpProcess(process.pid)).start).toBe(self.start);
    expect(await lookUpProcess(2 ** 30)).toEqual({ running: false, start: null });
  });
});

describe('a file written as a whole', () => {
  it('is the old one or a new one at any time, also when many write', async () => {
    const path = join(folder, 'file');
    const texts = Array.from({ length: 10 }, (_, i) => String(i).repeat(50_000));
    await writeFileAtomic(path, texts[0] ?? '');
    const writing = Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    for (let i = 0; i < 20; i++) expect(texts).toContain(await readFile(path, 'utf8'));
    await writing;
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves the old one when the new one cannot be written', async () => {
    await mkdir(join(folder, 'file'));
    await expect(writeFileAtomic(join(folder, 'file'), 'x')).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['file']);
  });
});

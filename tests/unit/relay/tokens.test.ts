import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DataDir } from '../../../relay/data-dir/open.ts';
import { createTickets } from '../../../relay/tickets.ts';
import { hashSecret } from '../../../relay/secrets.ts';
import { runTokenCommand } from '../../../relay/tokens/command.ts';
import type * as TokenFile from '../../../relay/tokens/file.ts';
import { checkAttenuates } from '../../../relay/tokens/request.ts';
import { openTokens, type TokenChange, type Tokens } from '../../../relay/tokens/tokens.ts';
import { FETCH_TICKET_MS } from '../../../src/contracts/relay.ts';
import { systemClock, type Clock } from '../../../src/lib/clock.ts';
import type { DeviceId, RoomId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { failureCode } from '../../support/tools.ts';

const room = 'room-a' as RoomId;
const device = 'device-a' as DeviceId;
/** The file of tokens as it is; a test can hold up one who reads it. */
const disk = vi.hoisted(() => ({ writes: 0, afterRead: null as (() => Promise<void>) | null }));
vi.mock('../../../relay/tokens/file.ts', async (original) => {
  const file = await original<typeof TokenFile>();
  return {
    ...file,
    readTokens: async (path: string) => {
      const tokens = await file.readTokens(path);
      await disk.afterRead?.();
      return tokens;
    },
    changeTokens: (...given: Parameters<typeof file.changeTokens>) => {
      disk.writes++;
      return file.changeTokens(...given);
    },
  };
});

const MCP = 'http://127.0.0.1:8787/mcp';

describe('tokens', () => {
  let dataDir: DataDir;
  const opened: Tokens[] = [];
  beforeEach(async () => {
    const path = await mkdtemp(join(tmpdir(), 'tabmesh-tokens-'));
    dataDir = { path, file: (name) => join(path, name), close: () => Promise.resolve() };
  });
  afterEach(async () => {
    for (const tokens of opened.splice(0)) tokens.close();
    await rm(dataDir.path, { recursive: true });
  });

  const open = async (clock: Clock = manualClock()) => {
    const tokens = await openTokens({ dataDir, mcp: MCP, clock, log: silentLog });
    opened.push(tokens);
    return tokens;
  };
  const usual = { classes: ['read', 'compute'], tools: null, expiresAt: null };

  it('stand for the member that asked, after a restart too', async () => {
    const tokens = await open();
    const { id, name, token, mcp } = await tokens.create({ room, device }, { name: ' Claude Desktop ' });
    expect([name, mcp]).toEqual(['Claude Desktop', MCP]);
    for (const each of [tokens, await open()]) {
      expect(each.verify(token)).toEqual({ id, name, room, device, owned: false, scope: usual, perMinute: null });
      expect(each.verify(each.owner)).toMatchObject({ id: 'owner', room: null, owned: true });
      for (const wrong of ['', `${token}x`, token.slice(0, -1), id]) expect(each.verify(wrong)).toBeUndefined();
    }
  });

  it('are kept as hashes; nothing temporary stays behind', async () => {
    const tokens = await open();
    const { token } = await tokens.create({ room, device }, { name: 'a' });
    expect(await readFile(dataDir.file('tokens.json'), 'utf8')).not.toContain(token.slice(4, 20));
    expect((await readdir(dataDir.path)).sort()).toEqual(['owner-token', 'tokens', 'tokens.json']);
    expect(await readdir(dataDir.file('tokens'))).toEqual([]);
  });

  it('made at once are all kept', async () => {
    const tokens = await open();
    const made = await Promise.all(
      Array.from({ length: 5 }, (_, i) => tokens.create({ room, device }, { name: `client ${String(i)}` })),
    );
    const again = await open();
    expect(made.map(({ token }) => again.verify(token)?.name)).toEqual(made.map(({ name }) => name));
  });

  it('are bounded by device; those that have expired make room', async () => {
    const clock = manualClock();
    const tokens = await open(clock);
    const soon = clock.now() + 1000;
    await tokens.create({ room, device }, { name: 'a', expiresAt: soon });
    for (let i = 0; i < 31; i++) await tokens.create({ room, device }, { name: 'a' });
    expect(await failureCode(() => tokens.create({ room, device }, { name: 'a' }))).toBe('rate_limited');
    await tokens.create({ room, device: 'device-b' as DeviceId }, { name: 'a' });
    await clock.advance(1000);
    await tokens.create({ room, device }, { name: 'a' });
    expect(tokens.list(device)).toHaveLength(32);
  });

  it.each<[string, unknown]>([
    ['no object', 'name'],
    ['no name', {}],
    ['an empty name', { name: '  ' }],
    ['a name that nobody can read', { name: 'a\nb' }],
    ['a name that reads backwards', { name: 'a\u202eb' }],
    ['a long name', { name: 'x'.repeat(81) }],
    ['an unknown class', { name: 'a', classes: ['read', 'root'] }],
    ['no class', { name: 'a', classes: [] }],
    ['tools that have no names', { name: 'a', tools: [''] }],
    ['no tools', { name: 'a', tools: [] }],
    ['a rate of nothing', { name: 'a', perMinute: 0 }],
    ['a time that is past', { name: 'a', expiresAt: 1 }],
    ['a field that is not known', { name: 'a', room: 'other' }],
  ])('are refused with %s', async (_what, request) => {
    const tokens = await open();
    expect(await failureCode(() => tokens.create({ room, device }, request))).toBe('invalid_input');
    expect(tokens.list()).toEqual([]);
  });

  it('taken back are refused at once, with those that they have made, and stay so', async () => {
    const tokens = await open();
    const changes: TokenChange[] = [];
    tokens.subscribe((change) => changes.push(change));
    const first = await tokens.create({ room, device }, { name: 'first', classes: ['read', 'write'] });
    const maker = tokens.verify(first.token);
    if (maker === undefined) throw new Error('no token');
    const second = await tokens.create({ room, device, maker }, { name: 'second', classes: ['read'] });
    const other = await tokens.create({ room, device }, { name: 'other' });
    const done = tokens.revoke(first.id, device);
    expect([first, second].map(({ token }) => tokens.verify(token))).toEqual([undefined, undefined]);
    await done;
    const again = await open();
    expect([first, second, other].map(({ token }) => again.verify(token)?.name)).toEqual([
      undefined,
      undefined,
      'other',
    ]);
    expect(changes.map(({ type, name }) => `${type} ${name}`)).toEqual([
      'created first',
      'created second',
      'created other',
      'revoked first',
      'revoked second',
    ]);
    expect(await failureCode(() => tokens.revoke(first.id))).toBe('not_found');
  });

  it('taken back stay so when what was on disk before is read late', async () => {
    const tokens = await open();
    const { id, token } = await tokens.create({ room, device }, { name: 'a' });
    const changes: TokenChange[] = [];
    tokens.subscribe((change) => changes.push(change));
    const late = Promise.withResolvers<undefined>();
    const begun = new Promise<void>((resolve) => {
      disk.afterRead = async () => {
        disk.afterRead = null;
        resolve();
        await late.promise;
      };
    });
    // as a command would: the relay sees a new time and reads
    await utimes(dataDir.file('tokens.json'), 1, 1);
    await begun;
    const writes = disk.writes;
    const revoked = tokens.revoke(id);
    await settle();
    // a write that does not wait for the reader is done before it
    if (disk.writes > writes) await revoked;
    late.resolve(undefined);
    await revoked;
    await settle();
    expect(tokens.verify(token)).toBeUndefined();
    expect(changes.map(({ type }) => type)).toEqual(['revoked']);
  });

  it('of another device are nobody’s to take back', async () => {
    const tokens = await open();
    const { id, token } = await tokens.create({ room, device }, { name: 'a' });
    expect(await failureCode(() => tokens.revoke(id, 'device-b' as DeviceId))).toBe('not_found');
    expect(tokens.verify(token)).toBeDefined();
  });

  it('never make one that may do more than themselves', async () => {
    const scope = fc.record({
      classes: fc.subarray(['read', 'compute', 'write', 'admin'] as const, { minLength: 1 }),
      tools: fc.option(fc.subarray(['a', 'b', 'c'], { minLength: 1 })),
      perMinute: fc.option(fc.integer({ min: 1, max: 3 })),
      expiresAt: fc.option(fc.integer({ min: 1, max: 3 })),
    });
    const covers = <T>(mine: readonly T[] | null, theirs: readonly T[] | null) =>
      mine === null || (theirs?.every((each) => mine.includes(each)) ?? false);
    const atMost = (mine: number | null, theirs: number | null) => mine === null || (theirs !== null && theirs <= mine);
    fc.assert(
      fc.property(scope, scope, (mine, theirs) => {
        const isNarrower =
          covers(mine.classes, theirs.classes) &&
          covers(mine.tools, theirs.tools) &&
          atMost(mine.perMinute, theirs.perMinute) &&
          atMost(mine.expiresAt, theirs.expiresAt);
        const check = () => {
          checkAttenuates({ name: 'x', ...theirs }, { scope: mine, perMinute: mine.perMinute });
        };
        if (isNarrower) check();
        else expect(check).toThrow(/more than itself/);
      }),
    );
  });

  it('of before they had a scope read and compute', async () => {
    const made = { id: 'i', name: 'old', room, device, hash: hashSecret('tm_old'), createdAt: '2026-01-01T00:00:00Z' };
    await writeFile(dataDir.file('tokens.json'), JSON.stringify({ version: 1, tokens: [made] }));
    const tokens = await open();
    expect(tokens.verify('tm_old')).toMatchObject({ id: 'i', device, scope: usual });
    await tokens.create({ room, device }, { name: 'new' });
    expect((await open()).list().map(({ name }) => name)).toEqual(['old', 'new']);
  });

  it.each([
    ['{"version":3,"tokens":[]}', 'format_newer'],
    ['{"version":2,"tokens":[{"id":1}]}', 'corrupt'],
    ['{"version":2}', 'corrupt'],
    ['not json', 'corrupt'],
    ['null', 'corrupt'],
  ])('in a file that holds %s are refused', async (text, code) => {
    await writeFile(dataDir.file('tokens.json'), text);
    expect(await failureCode(open)).toBe(code);
    expect(await readFile(dataDir.file('tokens.json'), 'utf8')).toBe(text);
  });

  describe('on the command line', () => {
    const run = (...args: string[]) => runTokenCommand([...args, '--data', dataDir.path], {});

    it('are made, listed and taken back, and a relay that runs follows', async () => {
      const tokens = await open(systemClock);
      const told = Promise.withResolvers<TokenChange>();
      const unsubscribe = tokens.subscribe(told.resolve);
      const token = (
        await run('create', 'CI', '--class', 'read', '--tool', 'echo', '--per-minute', '30', '--expires', '30d')
      ).trim();
      expect(await told.promise).toMatchObject({ type: 'created', name: 'CI', device: null });
      unsubscribe();
      const holder = tokens.verify(token);
      expect(holder).toMatchObject({
        room: null,
        owned: true,
        scope: { classes: ['read'], tools: ['echo'] },
        perMinute: 30,
      });
      const [id = '', ...shown] = (await run('list')).trim().split('\t');
      expect([id, shown.slice(0, 4)]).toEqual([holder?.id, ['CI', 'read', 'echo', '30/min']]);

      const gone = Promise.withResolvers<TokenChange>();
      tokens.subscribe(gone.resolve);
      expect(await run('revoke', id)).toBe('Revoked.\n');
      expect(await gone.promise).toMatchObject({ type: 'revoked', id });
      expect(tokens.verify(token)).toBeUndefined();
    });

    it.each([
      [['list', 'x']],
      [['create']],
      [['revoke']],
      [['create', 'a', '--class', 'root']],
      [['create', 'a', '--expires', 'soon']],
    ])('refuse %j', async (args) => {
      expect(await failureCode(() => run(...args))).toBe('invalid_input');
    });

    it('of a folder that is none are refused', async () => {
      expect(await failureCode(() => runTokenCommand(['list', '--data', `${dataDir.path}/none`], {}))).toBe(
        'not_found',
      );
    });
  });
});

describe('tickets', () => {
  it('are good for their holder until they expire', async () => {
    const clock = manualClock();
    const tickets = createTickets('http://relay/fetch', clock);
    const { ticket, url, expiresAt } = tickets.issue({ room, device });
    expect([url, expiresAt]).toEqual(['http://relay/fetch', clock.now() + FETCH_TICKET_MS]);
    expect(tickets.verify(ticket)).toMatchObject({ room, device });
    expect(tickets.verify(`${ticket}x`)).toBeUndefined();
    await clock.advance(FETCH_TICKET_MS - 1);
    expect(tickets.verify(ticket)).toBeDefined();
    await clock.advance(1);
    expect(tickets.verify(ticket)).toBeUndefined();
  });

  it('of one device push out its own oldest ones, not those of others', () => {
    const tickets = createTickets('http://relay/fetch', manualClock());
    const other = tickets.issue({ room, device: 'device-b' as DeviceId });
    const mine = Array.from({ length: 33 }, () => tickets.issue({ room, device }).ticket);
    expect(mine.map((ticket) => tickets.verify(ticket) !== undefined)).toEqual([false, ...Array(32).fill(true)]);
    expect(tickets.verify(other.ticket)).toBeDefined();
  });

  it('are bounded in number', () => {
    const tickets = createTickets('http://relay/fetch', manualClock());
    const issue = (i: number) => tickets.issue({ room, device: `device-${String(i)}` as DeviceId }).ticket;
    const first = issue(0);
    for (let i = 1; i < 20_000; i++) issue(i);
    expect(tickets.verify(first)).toBeDefined();
    issue(20_000);
    expect(tickets.verify(first)).toBeUndefined();
  });
});

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataDir } from '../../../relay/data-dir/open.ts';
import { createTickets } from '../../../relay/tickets.ts';
import { openTokens } from '../../../relay/tokens.ts';
import { FETCH_TICKET_MS } from '../../../src/contracts/relay.ts';
import type { DeviceId, RoomId } from '../../../src/lib/ids.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { failureCode } from '../../support/tools.ts';

const room = 'room-a' as RoomId;
const device = 'device-a' as DeviceId;
const MCP = 'http://127.0.0.1:8787/mcp';

describe('tokens', () => {
  let dataDir: DataDir;
  beforeEach(async () => {
    const path = await mkdtemp(join(tmpdir(), 'tabmesh-tokens-'));
    dataDir = { path, file: (name) => join(path, name), close: () => Promise.resolve() };
  });
  afterEach(() => rm(dataDir.path, { recursive: true }));

  const open = () => openTokens(dataDir, MCP, manualClock());

  it('stand for the member that asked, after a restart too', async () => {
    const tokens = await open();
    const { id, name, token, mcp } = await tokens.create({ room, device, name: ' Claude Desktop ' });
    expect([name, mcp]).toEqual(['Claude Desktop', MCP]);
    for (const opened of [tokens, await open()]) {
      expect(opened.verify(token)).toEqual({ id, name, room });
      expect(opened.verify(opened.owner)).toEqual({ id: 'owner', name: 'owner', room: null });
      for (const wrong of ['', `${token}x`, token.slice(0, -1), id]) expect(opened.verify(wrong)).toBeUndefined();
    }
  });

  it('are kept as hashes; nothing temporary stays behind', async () => {
    const tokens = await open();
    const { token } = await tokens.create({ room, device, name: 'a' });
    expect(await readFile(dataDir.file('tokens.json'), 'utf8')).not.toContain(token.slice(4, 20));
    expect((await readdir(dataDir.path)).sort()).toEqual(['owner-token', 'tokens.json']);
  });

  it('made at once are all kept', async () => {
    const tokens = await open();
    const made = await Promise.all(
      Array.from({ length: 5 }, (_, i) => tokens.create({ room, device, name: `client ${String(i)}` })),
    );
    const again = await open();
    expect(made.map(({ token }) => again.verify(token)?.name)).toEqual(made.map(({ name }) => name));
  });

  it('are bounded by device and have names that can be shown', async () => {
    const tokens = await open();
    for (const name of ['', '   ', 'a\nb', 'x'.repeat(81)]) {
      expect(await failureCode(() => tokens.create({ room, device, name }))).toBe('invalid_input');
    }
    for (let i = 0; i < 32; i++) await tokens.create({ room, device, name: 'a' });
    expect(await failureCode(() => tokens.create({ room, device, name: 'a' }))).toBe('rate_limited');
    await tokens.create({ room, device: 'device-b' as DeviceId, name: 'a' });
  });

  it.each([
    ['{"version":2,"tokens":[]}', 'format_newer'],
    ['{"version":1,"tokens":[{"id":1}]}', 'corrupt'],
    ['not json', 'corrupt'],
    ['null', 'corrupt'],
  ])('in a file that holds %s are refused', async (text, code) => {
    await writeFile(dataDir.file('tokens.json'), text);
    expect(await failureCode(open)).toBe(code);
    expect(await readFile(dataDir.file('tokens.json'), 'utf8')).toBe(text);
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

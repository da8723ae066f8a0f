import { PROTOCOLS } from '../src/contracts/versions.ts';
import { presentAccess } from '../src/mesh/access/present.ts';
import { parseInvite } from '../src/mesh/identity/invite.ts';
import { JOIN_TIMEOUT_MS } from '../src/mesh/membership/membership.ts';
import {
  besidesNo,
  BITSWAP,
  bitswapWant,
  closed,
  joinHonestly,
  mcpRequest,
  REPLICA_HELLO,
  speak,
  startHostileNode,
  type HostileNode,
} from '../tests/support/hostile-node.ts';
import { joinByInvite } from './support/pages.ts';
import { expect, test } from './support/test.ts';

/** The limit itself, and what a loaded machine may add to it. */
const CLOSED_WITHIN_MS = JOIN_TIMEOUT_MS + 2_000;
const ECHO = mcpRequest('tools/call', { name: 'echo', arguments: { text: 'let me in' } });

test('a tab refuses a stranger who comes through the relay', { tag: '@long' }, async ({ relay, device }) => {
  const { page } = await device('A');
  const log: string[] = [];
  page.on('console', (message) => log.push(message.text()));
  const shell = await joinByInvite(page, relay.line.invite ?? '');
  const search = await (async () => {
    await (await shell.research()).collect('sleep', 5);
    const view = await shell.search();
    await view.ask('sleep');
    await view.hits().first().getByRole('heading', { level: 2 }).getByRole('button').click();
    return view;
  })();
  const title = (await search.record.first().getByRole('heading', { level: 2 }).textContent()) ?? '';
  const cid = await search.recordCid();
  const mesh = await shell.mesh();
  const { peer } = await mesh.ownIds();
  const circuit = `${relay.line.multiaddrs[0] ?? ''}/p2p-circuit/p2p/${peer}`;

  const nodes: HostileNode[] = [];
  const { access } = parseInvite(relay.line.invite ?? '');
  /** a stranger to the room whom the relay lets in, as a member of another room would be */
  const newNode = async () => {
    const node = await startHostileNode();
    nodes.push(node);
    const connection = await node.dial(relay.line.multiaddrs[0] ?? '');
    await presentAccess(connection, node.peer, access[relay.line.peerId] ?? null, AbortSignal.timeout(JOIN_TIMEOUT_MS));
    return node;
  };
  try {
    const before = (await mesh.self()).served;
    await test.step('whatever he tries', async () => {
      const attempts: readonly (readonly [string, Uint8Array])[] = [
        [PROTOCOLS.mcp, ECHO],
        [PROTOCOLS.replica, REPLICA_HELLO],
        [BITSWAP, bitswapWant(cid)],
      ];
      await Promise.all(
        attempts.map(async ([protocol, bytes]) => {
          const stranger = await newNode();
          const connection = await stranger.dial(circuit);
          const since = performance.now();
          const spoken = await speak(connection, protocol, bytes);
          expect(await closed(connection, since), protocol).toBeLessThan(CLOSED_WITHIN_MS);
          expect(besidesNo(spoken) + stranger.bitswapped(), protocol).toBe('');
          await expect
            .poll(() => log.filter((text) => text.includes(stranger.peer) && text.includes('refused')).join('\n'))
            .toContain(protocol);
        }),
      );
      expect((await mesh.self()).served).toBe(before);
    });

    await test.step('and a replayed join', async () => {
      const member = await newNode();
      const first = await member.dial(circuit);
      const { transcript } = await joinHonestly(member, first, parseInvite(relay.line.invite ?? ''));
      await first.close();
      const stranger = await newNode();
      const connection = await stranger.dial(circuit);
      const spoken = await speak(connection, PROTOCOLS.mcp, ECHO);
      const stream = await connection.newStream(PROTOCOLS.join, { runOnLimitedConnection: true });
      for (const message of transcript.said) {
        const framed = new Uint8Array(4 + message.byteLength);
        new DataView(framed.buffer).setUint32(0, message.byteLength);
        framed.set(message, 4);
        stream.send(framed);
      }
      expect(await closed(connection)).toBeLessThan(CLOSED_WITHIN_MS);
      expect(besidesNo(spoken)).toBe('');
      expect((await mesh.self()).served).toBe(before);
    });

    await test.step('while a member on the same way is served (the positive control)', async () => {
      const member = await newNode();
      const connection = await member.dial(circuit);
      await joinHonestly(member, connection, parseInvite(relay.line.invite ?? ''));
      await (await speak(connection, PROTOCOLS.mcp, ECHO)).says(/let me in/);
      await expect.poll(async () => (await mesh.self()).served).toBe(before + 1);
      await speak(connection, BITSWAP, bitswapWant(cid));
      await expect.poll(() => member.bitswapped()).toContain(title.slice(0, 20));
    });
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});

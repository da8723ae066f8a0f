import type { Connection } from '@libp2p/interface';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/lib/log.ts';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import type { MemberLink } from '../../../src/mesh/rpc/member-links.ts';
import { createReplica } from '../../../src/mesh/replica/replica.ts';
import type { RoomReplica } from '../../../src/mesh/replica/replica.ts';
import { encodeSyncMessage } from '../../../src/mesh/replica/sync-messages.ts';
import { createReplicaSync } from '../../../src/mesh/replica/sync.ts';
import { SyncStreams } from '../../../src/mesh/room/sync-streams.ts';
import { encodeFrame } from '../../../src/mesh/rpc/frames.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';
import { newRoom } from '../../support/new-room.ts';
import { lists, signChain, updatesOf } from '../../support/replica-author.ts';
import { datasetSummary, newDevice, testCid } from '../../support/replica.ts';
import { streamPair } from '../../support/stream-pair.ts';
import type { PairedStream } from '../../support/stream-pair.ts';

const { room } = newRoom();
/** Longer than any wait after a failure. */
const LONG_MS = 10 * 60_000;

/** One peer's streams with made-up members, whose ends of the streams are in the test's hands. */
async function peerWithMembers() {
  const clock = manualClock();
  const events: { event: string; fields: Record<string, unknown> }[] = [];
  const log = { ...silentLog, warn: (event: string, fields = {}) => void events.push({ event, fields }) };
  const replica: RoomReplica = await createReplica({
    room,
    deviceKey: await newDevice(),
    store: createMemoryStore(),
    lock: createProcessLock(),
    clock,
  });
  let inbound: ((stream: PairedStream['stream'], connection: Connection) => Promise<void>) | undefined;
  let linked: ((event: { type: 'opened' | 'closed'; link: MemberLink }) => void) | undefined;
  const opened: PairedStream[] = [];
  const streams = new SyncStreams({
    node: {
      handle: (_: unknown, handler: unknown) => {
        inbound = handler as typeof inbound;
        return Promise.resolve();
      },
    },
    membership: {
      proven: (connection: Connection) =>
        Promise.resolve({ device: connection.remotePeer.toString() as DeviceId } as MemberLink['member']),
      subscribe: (listener: typeof linked) => {
        linked = listener;
        return () => undefined;
      },
    },
    replica: createReplicaSync({ replica }),
    presence: { encode: () => new Uint8Array(), onSend: () => () => undefined, receive: () => undefined },
    clock,
    log,
  });
  await streams.start();

  const connectionOf = (peer: PeerId, direction: 'inbound' | 'outbound') =>
    Object.assign(new EventTarget(), {
      remotePeer: { toString: () => peer },
      direction,
      status: 'open',
      newStream: () => {
        const [ours, theirs] = streamPair();
        opened.push(theirs);
        return Promise.resolve(ours.stream);
      },
    }) as unknown as Connection;
  return {
    clock,
    replica,
    events,
    /** the ends of the streams that the peer has opened */
    opened,
    /** a member opens a stream */
    accept: async (peer: PeerId) => {
      const [ours, theirs] = streamPair();
      await inbound?.(ours.stream, connectionOf(peer, 'inbound'));
      return theirs;
    },
    dialled: async (peer: PeerId) => {
      linked?.({ type: 'opened', link: { connection: connectionOf(peer, 'outbound') } as MemberLink });
      await settle();
    },
  };
}

const newPeer = async () => (await newDevice()).id as string as PeerId;
const replicaFrame = (bytes: Uint8Array) => encodeFrame(Uint8Array.from([0, ...bytes]));

async function turns(count = 10): Promise<void> {
  for (let n = 0; n < count; n++) await settle();
}

describe('sync streams', () => {
  it('reset the stream of who sends garbage, and take none from it for a while; another peer goes on', async () => {
    const { accept, clock, replica, events } = await peerWithMembers();
    const [bad, good] = [await newPeer(), await newPeer()];
    const [badStream, goodStream] = [await accept(bad), await accept(good)];
    badStream.stream.send(replicaFrame(Uint8Array.of(1, 2, 3)));
    await turns();
    expect(badStream.status).toBe('aborted');
    expect(events).toMatchObject([{ event: 'sync ended', fields: { peer: bad, code: 'protocol_error' } }]);
    expect((await accept(bad)).status).toBe('aborted');

    const author = await newDevice();
    const entries = await signChain(author, room, updatesOf(lists(1)));
    goodStream.stream.send(replicaFrame(encodeSyncMessage({ type: 'entries', entries })));
    await turns();
    expect(goodStream.status).toBe('open');
    expect(Object.keys(replica.state().devices[author.id]?.datasets ?? {})).toEqual([testCid(1)]);

    await clock.advance(LONG_MS);
    const again = await accept(bad);
    await turns();
    expect(again.status).toBe('open');
  });

  it.each<[string, () => Uint8Array, string]>([
    ['a frame longer than allowed', () => Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0), 'payload_too_large'],
    ['an unknown channel', () => encodeFrame(Uint8Array.of(9, 1)), 'protocol_error'],
    ['an empty frame', () => encodeFrame(new Uint8Array()), 'protocol_error'],
  ])('reset the stream on %s', async (_, bytes, code) => {
    const { accept, events } = await peerWithMembers();
    const stream = await accept(await newPeer());
    stream.stream.send(bytes());
    await turns();
    expect(stream.status).toBe('aborted');
    expect(events).toMatchObject([{ fields: { code } }]);
  });

  it('say why when an entry was forged, and stay when its author signed two histories', async () => {
    const { accept, events } = await peerWithMembers();
    const [author, stranger] = [await newDevice(), await newDevice()];
    const [left, right] = [
      await signChain(author, room, updatesOf(lists(1))),
      await signChain(author, room, updatesOf(lists(2))),
    ];
    const relaying = await accept(await newPeer());
    relaying.stream.send(replicaFrame(encodeSyncMessage({ type: 'entries', entries: [...left, ...right] })));
    await turns();
    expect(relaying.status).toBe('open');
    expect(events).toEqual([]);

    const forging = await accept(await newPeer());
    const entries = left.map((entry) => ({ ...entry, author: stranger.id }));
    forging.stream.send(replicaFrame(encodeSyncMessage({ type: 'entries', entries })));
    await turns();
    expect(forging.status).toBe('aborted');
    expect(events).toMatchObject([{ fields: { code: 'protocol_error', reason: 'bad_signature' } }]);
  });

  it('are opened again, later each time, by the side that dialled', async () => {
    const { dialled, opened, clock, replica } = await peerWithMembers();
    await dialled(await newPeer());
    await turns();
    expect(opened).toHaveLength(1);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      opened.at(-1)?.stream.abort(new Error('reset'));
      await turns();
      let waited = 0;
      while (opened.length === attempt) {
        await clock.advance(1000);
        await turns(2);
        waited += 1000;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([5000, 10_000, 20_000]);
    // and it works
    const last = opened.at(-1);
    await replica.putDataset(datasetSummary(1));
    last?.stream.send(replicaFrame(encodeSyncMessage({ type: 'heads', heads: {} })));
    await turns();
    expect(last?.status).toBe('open');
  });
});

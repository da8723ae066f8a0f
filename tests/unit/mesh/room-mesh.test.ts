import { afterEach, describe, expect, it } from 'vitest';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { createListeners } from '../../../src/lib/listeners.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { parseRelayAddress } from '../../../src/mesh/node/relay-address.ts';
import type { RoomNode } from '../../../src/mesh/node/room-node.ts';
import { createPresence } from '../../../src/mesh/replica/presence.ts';
import { RoomMesh } from '../../../src/mesh/room/room-mesh.ts';
import { manualClock, settle } from '../../support/manual-clock.ts';

const A = '12D3KooWGbFjkkxuDuvocNvkHm2oqALREuDjxC8ekvVyJH9f1AyE';
const B = '12D3KooWMWco24DJmRBJ8LmHr1c75snC72KMH3RtvJ4PGrHtscfk';
const SELF = '12D3KooWDKdJtYaxxJAKyz7h1mfCdf81hsfdnx7pNMHwSWqNTFJf' as PeerId;
const at = (peer: string) => parseRelayAddress(`/dns4/relay.example.org/tcp/443/tls/ws/p2p/${peer}`);

const open: RoomMesh[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((mesh) => mesh.stop()));
});

/** A mesh whose dials never come through; one that is given up takes a moment to end. */
async function makeMesh() {
  const dialing: string[] = [];
  const membership = {
    subscribe: createListeners().add,
    linkTo: () => undefined,
    links: () => [],
    peersOf: () => [],
  };
  const dial = async ([address]: readonly { toString(): string }[], { signal }: { signal: AbortSignal }) => {
    const peer = String(address).split('/').at(-1) ?? '';
    dialing.push(peer);
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    await settle();
    dialing.splice(dialing.indexOf(peer), 1);
    throw signal.reason;
  };
  const nothing = () => Promise.resolve();
  const libp2p = {
    peerId: SELF,
    dial,
    handle: nothing,
    unhandle: nothing,
    register: nothing,
    unregister: () => undefined,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    getConnections: () => [],
    services: { membership, ping: { ping: nothing }, reservations: { hold: nothing } },
  };
  const clock = manualClock();
  const mesh = new RoomMesh({
    node: { libp2p, stop: nothing } as unknown as RoomNode,
    self: { peer: SELF, device: SELF as unknown as DeviceId },
    relays: [at(A)],
    access: { key: () => null, granted: () => undefined },
    topic: () => 'topic',
    pastTopics: () => [],
    addresses: () => [],
    throughRelays: true,
    serve: (() => ({})) as never,
    principals: { chainFor: () => undefined, calling: () => () => undefined },
    replica: (() => ({})) as never,
    presence: createPresence({ self: SELF, deviceOf: () => undefined, clock }),
    visible: () => true,
    refusal: () => null,
    clock,
    log: silentLog,
  });
  open.push(mesh);
  await mesh.start();
  return { mesh, dialing };
}

describe('the relays of a mesh', () => {
  it('are each dialled once when the topic and the relays change at the same time', async () => {
    const { mesh, dialing } = await makeMesh();
    expect(dialing).toEqual([A]);
    await Promise.all([mesh.rejoin(), mesh.useRelays([at(A), at(B)]), mesh.rejoin(), mesh.rejoin()]);
    expect(dialing.toSorted()).toEqual([A, B]);
    expect(mesh.relays().map(({ peer }) => peer)).toEqual([A, B]);
    await mesh.useRelays([at(B)]);
    expect(dialing).toEqual([B]);
  });

  it('are dialled no more after the end, whatever changes meanwhile', async () => {
    const { mesh, dialing } = await makeMesh();
    const changes = [mesh.rejoin(), mesh.useRelays([at(B)])];
    await mesh.stop();
    await Promise.all(changes);
    await mesh.useRelays([at(A), at(B)]);
    expect(dialing).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId, PeerId, RoomId } from '../../../src/lib/ids.ts';
import type { JoinChannel, JoinSecrets } from '../../../src/mesh/membership/join.ts';
import { runJoin } from '../../../src/mesh/membership/join.ts';
import { decodeHello, encodeJoin } from '../../../src/mesh/membership/join-messages.ts';

const alice = 'alice' as PeerId;
const bob = 'bob' as PeerId;

function secrets(overrides: Partial<JoinSecrets> = {}): JoinSecrets {
  return {
    room: 'room' as RoomId,
    epoch: 1,
    joinKey: new Uint8Array(32).fill(7),
    identity: { certificate: new Uint8Array([1]), kind: 'tab', protocols: ['/x/1'] },
    verifyCertificate: (_bytes, peer) => Promise.resolve(`device of ${peer}` as DeviceId),
    ...overrides,
  };
}

/** Two ends of a pipe; `tap` may change what the first end sends. */
function pipe(tap: (bytes: Uint8Array, index: number) => Uint8Array = (bytes) => bytes): [JoinChannel, JoinChannel] {
  const queue = () => {
    const items: Uint8Array[] = [];
    const readers: ((bytes: Uint8Array) => void)[] = [];
    return {
      push(bytes: Uint8Array) {
        const reader = readers.shift();
        if (reader) reader(bytes);
        else items.push(bytes);
      },
      shift: () =>
        new Promise<Uint8Array>((resolve) => {
          const item = items.shift();
          if (item) resolve(item);
          else readers.push(resolve);
        }),
    };
  };
  const toB = queue();
  const toA = queue();
  let sent = 0;
  return [
    {
      write: (bytes) => {
        toB.push(tap(bytes, sent++));
        return Promise.resolve();
      },
      read: () => toA.shift(),
    },
    {
      write: (bytes) => {
        toA.push(bytes);
        return Promise.resolve();
      },
      read: () => toB.shift(),
    },
  ];
}

const idle = () => new Promise<never>(() => undefined);
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'proven',
    (error: unknown) => (error instanceof TabmeshError ? error.code : String(error)),
  );

describe('the join protocol', () => {
  it('tells both sides who the other is', async () => {
    const [a, b] = pipe();
    const [seenByA, seenByB] = await Promise.all([
      runJoin('initiator', a, { self: alice, remote: bob }, secrets()),
      runJoin('responder', b, { self: bob, remote: alice }, secrets()),
    ]);
    expect(seenByA).toMatchObject({ peer: bob, device: 'device of bob', kind: 'tab', protocols: ['/x/1'], version: 1 });
    expect(seenByB).toMatchObject({ peer: alice, device: 'device of alice' });
  });

  it.each([
    ['another secret', { joinKey: new Uint8Array(32).fill(8) }],
    ['another room', { room: 'other' as RoomId }],
    ['another epoch', { epoch: 2 }],
  ])('refuses a side with %s', async (_what, wrong) => {
    const [a, b] = pipe();
    const initiator = runJoin('initiator', a, { self: alice, remote: bob }, secrets(wrong));
    const responder = runJoin('responder', b, { self: bob, remote: alice }, secrets());
    expect(await code(responder)).toBe('not_a_member');
    void initiator.catch(() => undefined);
  });

  it('refuses when the connection is with somebody else than the proof names', async () => {
    const [a, b] = pipe();
    void runJoin('initiator', a, { self: alice, remote: 'mallory' as PeerId }, secrets()).catch(() => undefined);
    expect(await code(runJoin('responder', b, { self: bob, remote: alice }, secrets()))).toBe('not_a_member');
  });

  it('refuses its own messages reflected, without having proven anything', async () => {
    const said: Uint8Array[] = [];
    let waiting: ((bytes: Uint8Array) => void) | null = null;
    const mirror: JoinChannel = {
      write: (bytes) => {
        said.push(bytes);
        waiting?.(bytes);
        return Promise.resolve();
      },
      read: () => {
        const bytes = said.at(-1);
        return bytes ? Promise.resolve(bytes) : new Promise((resolve) => (waiting = resolve));
      },
    };
    expect(await code(runJoin('initiator', mirror, { self: alice, remote: bob }, secrets()))).toBe('not_a_member');
    expect(said).toHaveLength(1);
  });

  it('refuses a proof recorded in another join', async () => {
    const recorded: Uint8Array[] = [];
    const [a, b] = pipe((bytes) => {
      recorded.push(bytes);
      return bytes;
    });
    await Promise.all([
      runJoin('initiator', a, { self: alice, remote: bob }, secrets()),
      runJoin('responder', b, { self: bob, remote: alice }, secrets()),
    ]);
    const script = [...recorded];
    const replay: JoinChannel = {
      write: () => Promise.resolve(),
      read: () => {
        const next = script.shift();
        return next ? Promise.resolve(next) : idle();
      },
    };
    expect(await code(runJoin('responder', replay, { self: bob, remote: alice }, secrets()))).toBe('not_a_member');
  });

  it('reveals the responder to nobody who has not proven membership', async () => {
    const answers: Uint8Array[] = [];
    const nonce = new Uint8Array(32).fill(3);
    const script = [
      encodeJoin({ type: 'hello', minVersion: 1, maxVersion: 1, epoch: 1, nonce }),
      encodeJoin({ type: 'proof', mac: new Uint8Array(32) }),
    ];
    const channel: JoinChannel = {
      write: (bytes) => {
        answers.push(bytes);
        return Promise.resolve();
      },
      read: () => Promise.resolve(script.shift() ?? new Uint8Array()),
    };
    expect(await code(runJoin('responder', channel, { self: bob, remote: alice }, secrets()))).toBe('not_a_member');
    expect(answers).toHaveLength(1);
    expect(decodeHello(answers[0] ?? new Uint8Array()).type).toBe('hello');
  });

  it('names the older side when no version is shared', async () => {
    const hello = encodeJoin({ type: 'hello', minVersion: 5, maxVersion: 6, epoch: 1, nonce: new Uint8Array(32) });
    const channel: JoinChannel = { write: () => Promise.resolve(), read: () => Promise.resolve(hello) };
    await expect(runJoin('initiator', channel, { self: alice, remote: bob }, secrets())).rejects.toMatchObject({
      code: 'version_mismatch',
      hint: 'Update this app.',
    });
  });

  it('survives garbage', async () => {
    const channel: JoinChannel = {
      write: () => Promise.resolve(),
      read: () => Promise.resolve(new Uint8Array([1, 2])),
    };
    expect(await code(runJoin('responder', channel, { self: bob, remote: alice }, secrets()))).toBe('protocol_error');
  });
});

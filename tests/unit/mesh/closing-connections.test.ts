import type { Connection, Libp2p } from '@libp2p/interface';
import { expect, it } from 'vitest';
import { dropWhatIsTooLate } from '../../../src/mesh/node/closing-connections.ts';

/** A connection as libp2p tells of it when it has opened. @returns what it carries, with what has left it */
function opened(limits: object | undefined) {
  const left: unknown[] = [];
  const maConn = {
    writeStatus: 'writable',
    send(data: unknown) {
      // as libp2p's message streams do
      if (this.writeStatus !== 'writable') throw new Error(`Cannot write to a stream that is ${this.writeStatus}`);
      left.push(data);
      return true;
    },
  };
  const connection = { limits, maConn } as unknown as Connection;
  const node = {
    addEventListener: (_type: string, listener: (event: { detail: Connection }) => void) => {
      listener({ detail: connection });
    },
  };
  dropWhatIsTooLate(node as unknown as Libp2p);
  return { maConn, left };
}

it('what is sent into a circuit that is closing is dropped, not thrown at nobody', () => {
  const { maConn, left } = opened({ bytes: 1n });
  expect(maConn.send('in time')).toBe(true);
  for (const status of ['closing', 'closed']) {
    maConn.writeStatus = status;
    expect(maConn.send('too late')).toBe(true);
  }
  expect(left).toEqual(['in time']);
});

it('a direct connection is left alone', () => {
  const { maConn } = opened(undefined);
  maConn.writeStatus = 'closing';
  expect(() => maConn.send('too late')).toThrow('closing');
});

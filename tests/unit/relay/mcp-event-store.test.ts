import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventStore } from '../../../relay/http/mcp/event-store.ts';
import { MAX_EVENT_BYTES, MAX_EVENTS } from '../../../relay/http/mcp/limits.ts';

const message = (n: number, size = 0): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { n, text: 'x'.repeat(size) },
});

async function replay(store: ReturnType<typeof createEventStore>, after: string): Promise<JSONRPCMessage[]> {
  const sent: JSONRPCMessage[] = [];
  await store.replayEventsAfter(after, {
    send: (_id, each) => {
      sent.push(each);
      return Promise.resolve();
    },
  });
  return sent;
}

describe('the event store of a session', () => {
  it('gives back what came after an event on its own stream, in order, whatever came on others', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 100 }),
        fc.nat(),
        async (streams, pick) => {
          const store = createEventStore();
          const ids: string[] = [];
          for (const [n, stream] of streams.entries()) ids.push(await store.storeEvent(stream, message(n)));
          const at = pick % streams.length;
          const rest = streams.flatMap((stream, n) => (n > at && stream === streams[at] ? [message(n)] : []));
          expect(await replay(store, ids[at] ?? '')).toEqual(rest);
        },
      ),
    ));

  it('keeps a bounded number of events and bytes, the newest', async () => {
    const many = createEventStore();
    const ids: string[] = [];
    for (let n = 0; n < MAX_EVENTS + 10; n++) ids.push(await many.storeEvent('s', message(n)));
    expect(await many.getStreamIdForEventId?.(ids[9] ?? '')).toBeUndefined();
    await expect(replay(many, ids[9] ?? '')).rejects.toThrow();
    expect(await replay(many, ids[10] ?? '')).toHaveLength(MAX_EVENTS - 1);

    const large = createEventStore();
    const first = await large.storeEvent('s', message(0, MAX_EVENT_BYTES / 2));
    await large.storeEvent('s', message(1, MAX_EVENT_BYTES / 2));
    expect(await large.getStreamIdForEventId?.(first)).toBeUndefined();
  });

  it('keeps none that is larger than all may be, and tells nobody that it was not there', async () => {
    const store = createEventStore();
    const before = await store.storeEvent('s', message(0));
    const huge = await store.storeEvent('s', message(1, MAX_EVENT_BYTES));
    expect(await store.getStreamIdForEventId?.(huge)).toBeUndefined();
    const after = await store.storeEvent('s', message(2));
    await store.storeEvent('s', message(3));
    // what follows without it would look whole
    await expect(replay(store, before)).rejects.toThrow();
    expect(await replay(store, after)).toEqual([message(3)]);
  });
});

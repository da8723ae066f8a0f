import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';
import { MAX_EVENT_BYTES, MAX_EVENTS } from './limits.ts';

interface Stored {
  readonly id: string;
  readonly stream: string;
  readonly message: JSONRPCMessage;
  readonly bytes: number;
}

/**
 * What was sent on a session's streams lately, for a client whose connection broke: it names the last event that it has and
 * gets the rest. Bounded in number and bytes; the oldest go first, and who asks for what is gone is told so.
 */
export function createEventStore(): EventStore {
  const events: Stored[] = [];
  let bytes = 0;
  let next = 0;
  const find = (id: string) => events.findIndex((event) => event.id === id);
  return {
    storeEvent(stream, message) {
      const stored = { id: `${stream}.${String(next++)}`, stream, message, bytes: JSON.stringify(message).length };
      events.push(stored);
      bytes += stored.bytes;
      // one that is too large goes too, after all before it: else who asks for what follows them would miss it unknowingly
      while (events.length > MAX_EVENTS || bytes > MAX_EVENT_BYTES) bytes -= events.shift()?.bytes ?? 0;
      return Promise.resolve(stored.id);
    },
    getStreamIdForEventId: (id) => Promise.resolve(events[find(id)]?.stream),
    async replayEventsAfter(id, { send }) {
      const at = find(id);
      const stream = events[at]?.stream;
      if (stream === undefined) throw new Error('that event is not kept any more');
      for (const event of events.slice(at + 1)) {
        // an empty one only gave the client an id to begin with
        if (event.stream === stream && Object.keys(event.message).length > 0) await send(event.id, event.message);
      }
      return stream;
    },
  };
}

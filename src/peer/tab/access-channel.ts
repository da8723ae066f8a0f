import type { RoomId } from '../../lib/ids.ts';
import type { AccessChannel } from '../../tools/approvals/class-access.ts';

/** An {@link AccessChannel} over BroadcastChannel: all tabs of this browser profile that have the room open. */
export function createAccessChannel(room: RoomId): AccessChannel {
  const channel = new BroadcastChannel(`tabmesh/access/${room}`);
  return {
    announce: () => {
      channel.postMessage(null);
    },
    subscribe: (listener) => {
      channel.addEventListener('message', listener);
      return () => {
        channel.removeEventListener('message', listener);
      };
    },
    close: () => {
      channel.close();
    },
  };
}

import type { RoomId } from '../../lib/ids.ts';
import { isDeviceId } from '../identity/device-id.ts';
import type { SiblingChannel } from './sibling-channel.ts';

/** A {@link SiblingChannel} over BroadcastChannel: all tabs and workers of this browser profile that have the room open. */
export function createSiblingChannel(room: RoomId): SiblingChannel {
  const channel = new BroadcastChannel(`tabmesh/replica/${room}`);
  return {
    announce: (authors) => {
      channel.postMessage(authors);
    },
    subscribe: (listener) => {
      const onMessage = ({ data }: MessageEvent<unknown>) => {
        // a tab with another version of the app may speak differently
        if (Array.isArray(data) && data.every(isDeviceId)) listener(data);
      };
      channel.addEventListener('message', onMessage);
      return () => {
        channel.removeEventListener('message', onMessage);
      };
    },
    close: () => {
      channel.close();
    },
  };
}

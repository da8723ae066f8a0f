import type { Stream } from '@libp2p/interface';

/** Tells of every byte that the stream carries, either way, from now on. Call before anything else listens to it. */
export function countBytes(stream: Stream, onBytes: (bytes: number) => void): void {
  const send = stream.send.bind(stream);
  stream.send = (data) => {
    onBytes(data.byteLength);
    return send(data);
  };
  stream.addEventListener('message', ({ data }) => {
    onBytes(data.byteLength);
  });
}

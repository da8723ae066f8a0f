import { concatBytes } from '../../lib/bytes.ts';

/** What a WebSocket of a browser and one of `ws` have in common. */
interface Sending {
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** More than this goes by itself, bytes: two of noise's largest messages, so that what is copied is little beside what is sent. */
const MAX_TOGETHER = 128 * 1024;

/**
 * Has what is sent in one turn leave as one message. libp2p sends each piece of a frame by itself, the two bytes of its length
 * too, and reads a socket as a stream of bytes: where messages begin and end means nothing to it. In a browser each message costs
 * a task, on a server a system call.
 */
export function sendTogether<T extends Sending>(socket: T): T {
  const send = socket.send.bind(socket);
  const close = socket.close.bind(socket);
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const flush = () => {
    const [first, ...rest] = waiting;
    if (first === undefined) return;
    const together = rest.length === 0 ? first : concatBytes(waiting);
    waiting = [];
    bytes = 0;
    send(together);
  };
  socket.send = (data) => {
    if (waiting.length > 0 && bytes + data.byteLength > MAX_TOGETHER) flush();
    if (waiting.length === 0) queueMicrotask(flush);
    waiting.push(data);
    bytes += data.byteLength;
  };
  socket.close = (code, reason) => {
    flush();
    close(code, reason);
  };
  return socket;
}

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * A STUN server (RFC 8489) on a free loopback port.
 * @param options.portShift added to the port it has seen: two servers that differ in it look like a symmetric NAT
 */
export async function startStun({ portShift = 0, silent = false } = {}): Promise<{ url: string; close(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (request, from) => {
    if (silent) return;
    const answer = Buffer.alloc(32);
    answer.writeUInt16BE(0x0101, 0);
    answer.writeUInt16BE(12, 2);
    request.copy(answer, 4, 4, 20);
    answer.writeUInt16BE(0x0020, 20);
    answer.writeUInt16BE(8, 22);
    answer.writeUInt16BE(0x0001, 24);
    answer.writeUInt16BE((from.port + portShift) ^ 0x2112, 26);
    const address = from.address.split('.').map(Number);
    for (const [index, byte] of address.entries()) answer[28 + index] = byte ^ answer[4 + index]!;
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    url: `stun:127.0.0.1:${String(socket.address().port)}`,
    close: () => {
      socket.close();
    },
  };
}

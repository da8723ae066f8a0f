import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

/**
 * Opens a port that leads to the relay from a loopback address of the caller's choice: the relay limits connections by
 * address, and a thousand peers of the field have many.
 * @param to `host:port` of the relay
 * @param from any address of 127.0.0.0/8 (Linux answers to all of them)
 * @returns the port on 127.0.0.1
 */
export async function leadFrom(from: string, to: { readonly host: string; readonly port: number }): Promise<number> {
  // as the sockets of the field are: small writes leave at once
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ ...to, localAddress: from, noDelay: true });
    // the request to upgrade comes in one piece; the relay answers only to the name that it knows itself by
    near.once('data', (head: Buffer) => {
      far.write(head.toString('latin1').replace(/^host: .*$/im, `Host: ${to.host}:${to.port}`), 'latin1');
      near.pipe(far);
    });
    far.pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

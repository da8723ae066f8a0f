import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A door of the harness. */
export interface Proxy {
  readonly url: string;
  close(): void;
}

/**
 * A door on loopback that adds the token, since the suite cannot send one. All else goes through as it is: what the suite
 * says of host and origin too, except that the door's own name becomes the relay's.
 * @param target the address of the endpoint
 */
export async function startProxy(target: URL, token: string): Promise<Proxy> {
  let own = '';
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { host = '', origin, ...rest } = incoming.headers;
    const asRelay = (value: string) =>
      value.replace(own, target.host).replace(own.replace('127.0.0.1', 'localhost'), target.host);
    const onward = request(
      target,
      {
        method: incoming.method,
        headers: {
          ...rest,
          host: asRelay(host),
          ...(origin === undefined ? {} : { origin: asRelay(origin) }),
          authorization: `Bearer ${token}`,
        },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.once('error', () => outgoing.destroy());
    outgoing.once('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  own = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url: `http://${own}/mcp`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A service on loopback that answers as a test wants. */
export interface UpstreamServer {
  /** origin */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Starts an {@link UpstreamServer}; `close` cuts whatever is still open. */
export async function startUpstream(
  listener: RequestListener,
  server: Server = createServer(listener),
): Promise<UpstreamServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

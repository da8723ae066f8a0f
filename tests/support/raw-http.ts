import { request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** An answer as it came, whatever the client library would have made of it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a request with exactly these headers; `Host` included, which `fetch` does not let anybody set. */
export function rawRequest(
  url: URL,
  options: { readonly method?: string; readonly headers: Record<string, string>; readonly body?: string },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers, body } = options;
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode = 0, headers: received } = response;
        resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks).toString() });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** A connection that has said this much and no more. */
export async function slowClient(
  url: URL,
  said: string,
): Promise<{ readonly socket: Socket; readonly ended: Promise<string> }> {
  const socket = connect(Number(url.port), url.hostname);
  const chunks: Buffer[] = [];
  const ended = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('close', () => {
      resolve(Buffer.concat(chunks).toString());
    });
    socket.once('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.write(said);
  return { socket, ended };
}

import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StdioBridge, type MessagePipe } from '../../../relay/cli/stdio-bridge.ts';
import { silentLog } from '../../../src/lib/log.ts';

type Message = JSONRPCMessage & { readonly id?: number; readonly method?: string };

/** A relay of the older wire that forgets its sessions, or refuses new ones, when it is told to. */
class ForgetfulRelay {
  readonly #server: Server;
  readonly received: Message[] = [];
  session = 'first';
  refusing = false;

  constructor() {
    this.#server = createServer((request, response) => {
      const answer = (status: number, body?: object, headers: Record<string, string> = {}) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(body === undefined ? undefined : JSON.stringify(body));
      };
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        if (request.method !== 'POST') {
          answer(request.method === 'DELETE' ? 200 : 405);
          return;
        }
        const message = JSON.parse(text) as Message;
        this.received.push(message);
        if (message.method === 'initialize') {
          const result = {
            protocolVersion: '2025-11-25',
            capabilities: {},
            serverInfo: { name: 'relay', version: '1' },
          };
          if (this.refusing) answer(503, { error: { message: 'the relay is starting' } });
          else answer(200, { jsonrpc: '2.0', id: message.id, result }, { 'mcp-session-id': this.session });
        } else if (request.headers['mcp-session-id'] !== this.session) {
          answer(404, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } });
        } else if (message.id === undefined) answer(202);
        else answer(200, { jsonrpc: '2.0', id: message.id, result: { of: this.session } });
      });
    });
  }

  async start(): Promise<URL> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** The client: asks, and waits for the answer to that. */
class Pipe implements MessagePipe {
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;
  onclose?: (() => void) | undefined;
  readonly #waiting = new Map<unknown, (message: Message) => void>();
  #id = 0;

  start = () => Promise.resolve();
  close = () => Promise.resolve();
  send(message: JSONRPCMessage): Promise<void> {
    const answer = message as Message;
    this.#waiting.get(answer.id)?.(answer);
    return Promise.resolve();
  }

  ask(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    const id = ++this.#id;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.onmessage?.({ jsonrpc: '2.0', id, method, params });
    return answered;
  }
}

describe('the bridge between stdio and HTTP', () => {
  let relay: ForgetfulRelay;
  let pipe: Pipe;
  let stop: AbortController;
  let running: Promise<void>;
  beforeEach(async () => {
    relay = new ForgetfulRelay();
    pipe = new Pipe();
    stop = new AbortController();
    running = new StdioBridge(pipe, { mcp: await relay.start(), token: 't' }, silentLog).run(stop.signal);
    await pipe.ask('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    });
    pipe.onmessage?.({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(await pipe.ask('tools/list')).toMatchObject({ result: { of: 'first' } });
  });
  afterEach(async () => {
    stop.abort();
    await running;
    relay.stop();
  });

  it('begins a lost session anew, once for all that wait, and repeats what was refused', async () => {
    relay.session = 'second';
    const answers = await Promise.all([pipe.ask('tools/list'), pipe.ask('tools/list')]);
    expect(answers).toMatchObject([{ result: { of: 'second' } }, { result: { of: 'second' } }]);
    expect(relay.received.filter(({ method }) => method === 'initialize')).toHaveLength(2);
  });

  it('answers what was asked before the end of the input, and then ends', async () => {
    const last = pipe.ask('tools/list');
    pipe.onclose?.();
    expect(await last).toMatchObject({ result: { of: 'first' } });
    await running;
  });

  it('tries again with the next message when the relay could not begin one', async () => {
    relay.session = 'second';
    relay.refusing = true;
    expect(await pipe.ask('tools/list')).toMatchObject({ error: { message: 'the relay is starting' } });
    relay.refusing = false;
    expect(await pipe.ask('tools/list')).toMatchObject({ result: { of: 'second' } });
  });
});

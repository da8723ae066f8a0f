import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../relay/config/parse.ts';
import { startRelayPeers } from '../../relay/libp2p/index.ts';
import type { RoomGateway } from '../../relay/rooms.ts';
import { startRelay } from '../../relay/start.ts';
import type { McpProvider } from '../../src/contracts/mcp.ts';
import { lineLog } from '../../src/lib/log.ts';

/** The product's relay, in this process. */
export interface HarnessRelay {
  readonly gateway: RoomGateway;
  readonly token: string;
  /** link that a tab joins by */
  readonly invite: string;
  /** the endpoint of one peer, or of the room */
  endpoint(peer: string | null): URL;
  close(): Promise<void>;
}

/** Starts a relay. @param mcp what its own peer serves, in place of its own tools @param appFolder the page that it serves */
export async function startHarnessRelay(options: { mcp?: McpProvider; appFolder: string }): Promise<HarnessRelay> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-conformance-'));
  const config = parseConfig(['--port', '0', '--data', folder, '--demo'], {});
  if (config === 'help') throw new Error('not a relay');
  const relay = await startRelay({
    config,
    startRelayPeers,
    appFolder: options.appFolder,
    ...(options.mcp === undefined ? {} : { mcp: options.mcp }),
    log: lineLog((line) => process.stderr.write(`${line}\n`), 'relay', ['warn', 'error']),
    signal: new AbortController().signal,
  });
  const gateway = relay.peers.rooms.default;
  const { invite } = relay.peers;
  if (gateway === undefined || invite === null) throw new Error('a relay without a room');
  return {
    gateway,
    token: relay.token,
    invite,
    endpoint: (peer) => new URL(peer === null ? relay.urls.mcp : `${relay.urls.mcp}/peers/${peer}`),
    async close() {
      await relay.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

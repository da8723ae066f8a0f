import type { RoomClient } from '../../contracts/app.ts';
import type { Invite } from '../../contracts/mesh.ts';
import type { Principal } from '../../contracts/tools.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { RunId } from '../../lib/ids.ts';
import { formatTraceparent, newTrace } from '../../lib/traceparent.ts';
import { encodeInvite } from '../../mesh/identity/invite.ts';
import { callWithGrants } from './granted-call.ts';
import type { TabRoom } from './open-room.ts';
import { readRelayKey } from './relay-config.ts';
import { toBlob } from './to-blob.ts';

/** A token is made in a round trip; a relay that is slower is in trouble. */
const TOKEN_TIMEOUT_MS = 10_000;
/** Deleting thousands of blocks takes seconds. */
const DELETE_TIMEOUT_MS = 120_000;

/** one read of a file */
const READ_BYTES = 1024 * 1024;

/** Shows an open room to the app. */
export function createRoomClient(invite: Invite, room: TabRoom): RoomClient {
  const { peer, self, relays } = room;
  const principal: Principal = { kind: 'device', device: peer.replica.device, peer: self };
  const collect = async (inputs: { readonly query: string; readonly max_results: number }): Promise<RunId> => {
    const wanted = { query: inputs.query.trim(), max_results: inputs.max_results };
    const { id, started } = peer.runs.start('collect_literature', wanted);
    await started;
    return id;
  };

  return {
    id: invite.room,
    name: invite.roomName,
    self,
    subscribe: (listener) => peer.subscribe(listener),
    connection: () => peer.mesh.connection(),
    relays: () => peer.mesh.relays(),
    retryRelays: () => {
      peer.mesh.retryRelays();
    },
    enterRelayKey: async (relay, key) => room.enterRelayKey(relay, readRelayKey(key)),
    finding: () => peer.finding.finding(),
    findPeers: (signal) => peer.finding.look(signal),
    examine: (options) => peer.doctor.examine(options),
    peers: () => peer.mesh.peers(),
    tools: () => peer.tools.list(),
    datasets: () => peer.datasets.list(),
    runs: () => peer.runs.list(),
    inviteLink: () =>
      new URL(`/${encodeInvite(peer.renewInvite({ ...invite, access: room.access() }))}`, location.href).href,

    members: () => peer.members.list(),
    changeSecret: () => peer.members.rotate(),
    blockDevice: (device) => peer.members.block(device),
    unblockDevice: (device) => peer.members.unblock(device),
    appointOwner: (device) => peer.members.appoint(device),

    approvals: () => peer.access.approvals(),
    grants: () => peer.access.grants(),
    heldGrants: () => peer.access.heldGrants(),

    collect,
    retryRun: (id) =>
      Promise.resolve().then(() => {
        const inputs = peer.runs.get(id)?.inputs;
        if (typeof inputs !== 'object' || inputs === null || !('query' in inputs)) {
          throw new TabmeshError('not_found', 'the run is no longer known');
        }
        return collect(inputs as { query: string; max_results: number });
      }),
    cancelRun: (id) => {
      peer.runs.cancel(id);
    },
    deleteRun: (id) => peer.runs.delete(id),

    search: (request, signal) =>
      peer.search.searchRoom(request, signal, { principal, traceparent: formatTraceparent(newTrace()) }),
    related: (recordId, topK, signal) => peer.search.relatedInRoom(recordId, topK, signal),
    record: (cid, signal) => peer.datasets.record(cid, signal),

    manifest: (data, signal) => peer.datasets.manifest(data, signal),
    records: (data, offset, limit, signal) => peer.datasets.records(data, offset, limit, signal),
    exportDataset: (data, signal) => toBlob(peer.datasets.export([data], signal)),
    importDatasets: (car, signal) => peer.datasets.import(pieces(car), signal),
    deleteDataset: (data) => peer.datasets.delete(data, AbortSignal.timeout(DELETE_TIMEOUT_MS)),
    keepDataset: (data, signal) => peer.datasets.keep(data, signal),

    call: (tool, args, { place, ...options } = {}) =>
      callWithGrants(
        peer,
        { tool, args, principal, ...(place === undefined ? {} : { place }) },
        { traceparent: formatTraceparent(newTrace()), ...options },
      ),
    ownTools: () => peer.local.list(),
    explainRoute: (tool, args, place) =>
      peer.routing.explain({ tool, args, principal, ...(place === null ? {} : { place }) }),
    callMetrics: (signal) => peer.routing.report(signal),
    resetBreakers: (at, tool) => peer.routing.resetBreakers(at, tool),
    watchCalls: (listener) => peer.calls.watch(listener),
    audit: () => peer.audit,
    createClientToken: (request, relay) => relays.createToken(request, AbortSignal.timeout(TOKEN_TIMEOUT_MS), relay),
    listClientTokens: (relay) => relays.listTokens(AbortSignal.timeout(TOKEN_TIMEOUT_MS), relay),
    revokeClientToken: (id, relay) => relays.revokeToken(id, AbortSignal.timeout(TOKEN_TIMEOUT_MS), relay),
    close: () => room.close(),
  };
}

/** A file read in pieces, so that a large one is never in memory whole. */
async function* pieces(file: Blob): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < file.size; at += READ_BYTES) {
    yield new Uint8Array(await file.slice(at, at + READ_BYTES).arrayBuffer());
  }
}

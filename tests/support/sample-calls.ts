import type { ErrorCode } from '../../src/lib/errors.ts';

/** What a call of each tool may be about. */
export interface SampleRoom {
  /** CID of a dataset, and a record in it */
  readonly dataset: string;
  readonly record: string;
  readonly recordId: string;
  /** another peer of the room, and a device that is none of it */
  readonly peer: string;
  readonly address: string;
}

/** A call, and how it has to end: with an answer, or with an error of this code. */
export interface SampleCall {
  readonly args: object;
  readonly ends: 'ok' | ErrorCode;
}

/** A device, and peer, id of nobody. */
const NOBODY = '12D3KooWGzBy6CRmoRAbHPP5RkS6FqUMUnVkdFoDrCMDrVRdXEuc';

/**
 * One call of every tool that there is, made so that it changes nothing which the next door would notice.
 * `every-door.test.ts` fails for a tool that is missing here.
 */
export function sampleCalls({ dataset, record, recordId, peer, address }: SampleRoom): Record<string, SampleCall> {
  const ok = (args: object = {}): SampleCall => ({ args, ends: 'ok' });
  const refused = (ends: ErrorCode, args: object = {}): SampleCall => ({ args, ends });
  return {
    appoint_owner: refused('not_found', { device: NOBODY }),
    audit_log: ok({ limit: 1 }),
    block_device: refused('not_found', { device: NOBODY }),
    bootstrap_network: ok({ bootstrap_nodes: [address] }),
    change_room_secret: ok(),
    collect_literature: ok({ query: 'sleep', max_results: 3 }),
    connection_doctor: ok(),
    decide_approval: refused('not_found', { handle: 'none', answer: 'no' }),
    delete_dataset: refused('not_found', { dataset: dataset.replace(/.$/, 'a') }),
    echo: ok({ text: 'alike' }),
    explain_route: ok({ tool: 'echo' }),
    get_dataset: ok({ dataset, limit: 1 }),
    get_record: ok({ cid: record }),
    issue_grant: refused('invalid_input', { audience: 'nobody', tools: ['echo'] }),
    keep_dataset: ok({ dataset }),
    list_approvals: ok(),
    list_datasets: ok(),
    list_grants: ok(),
    list_members: ok(),
    list_peers: ok(),
    list_revocations: ok(),
    peer_connect: ok({ peer_id: peer, multiaddr: address }),
    peer_disconnect: ok({ peer_id: NOBODY }),
    peer_discover: ok({ max_peers: 2 }),
    peer_list: ok(),
    peer_metrics: ok({ peer_id: peer }),
    related_records: ok({ record_id: recordId, top_k: 2 }),
    reset_routes: ok(),
    revoke_approval: refused('not_found', { id: 'none' }),
    revoke_grant: refused('not_found', { cid: dataset }),
    search_index: ok({ query: 'sleep' }),
    search_shard: ok({ query: 'sleep' }),
    set_class_access: ok({ member: ['read', 'compute'], relay: ['read', 'compute'] }),
    tool_metrics: ok(),
    unblock_device: refused('not_found', { device: NOBODY }),
    verify_audit_log: ok(),
    verify_grant: ok({
      chain: ['none'],
      tool: 'echo',
      audience: 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp',
    }),
  };
}

import type { PeerId } from '../../src/lib/ids.ts';
import type { TokenChange } from '../tokens/tokens.ts';
import type { AuditRecord } from '../../src/contracts/audit.ts';

/** Where nothing has run, and nothing took time. */
const PLAIN = { where: null, tookMs: null, outcome: 'ok', trace: null } as const;

/** A token that was made or taken back, over HTTP, over the mesh, or on the command line: by whom, only its room knows. */
export function tokenRecord({ type, id, name, device }: TokenChange): AuditRecord {
  const who =
    device === null ? { kind: 'token', id: 'owner', name: 'owner' } : { kind: 'device', id: device, name: device };
  return { event: `token.${type}`, who: who as AuditRecord['who'], what: `${id} ${name}`, ...PLAIN };
}

/** The relay itself. */
export function relayRecord(event: 'relay.started' | 'relay.stopped', peer: PeerId): AuditRecord {
  return { event, who: { kind: 'nobody', id: peer, name: 'relay' }, what: peer, ...PLAIN };
}

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { KeyValueStore } from '../../contracts/kv.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { createAuditKv } from '../../mesh/storage/audit-kv.ts';
import type { WriteLock } from '../../mesh/storage/lock.ts';
import type { AuditHashes } from '../../monitor/audit/hashes.ts';
import { TAB_AUDIT_LIMITS } from '../../monitor/audit/limits.ts';
import { createAuditLog, type AuditLog } from '../../monitor/audit/log.ts';
import { auditKey } from '../room/audit-key.ts';

export interface TabAuditOptions {
  /** of the room; all tabs of the device share it */
  readonly store: KeyValueStore;
  readonly lock: WriteLock;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens this device's audit log of a room. @throws `storage_failed` */
export async function openTabAudit({ store, lock, clock, log }: TabAuditOptions): Promise<AuditLog> {
  const hashes = pageHashes(await auditKey(store, lock));
  return createAuditLog({
    store: createAuditKv(store, lock),
    hashes,
    limits: TAB_AUDIT_LIMITS,
    keepArguments: false,
    clock,
    log,
  });
}

/** Hashes that are there at once, unlike Web Crypto's. @param key of the HMAC */
export function pageHashes(key: Uint8Array): AuditHashes {
  // the two blocks of the key are hashed once
  const keyed = hmac.create(sha256, key);
  return {
    hash: (text) => bytesToHex(sha256(utf8ToBytes(text))),
    hmac: (text) => bytesToHex(keyed.clone().update(utf8ToBytes(text)).digest()),
  };
}

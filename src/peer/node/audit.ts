import { createHmac, createSecretKey, hash } from 'node:crypto';
import type { AuditStore } from '../../contracts/audit.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { FILE_AUDIT_LIMITS, type AuditLimits } from '../../monitor/audit/limits.ts';
import { createAuditLog, type AuditLog } from '../../monitor/audit/log.ts';

export interface NodeAuditOptions {
  readonly store: AuditStore;
  /** of the arguments' hashes */
  readonly key: Uint8Array;
  /** keep arguments as they are, beside their hash */
  readonly keepArguments: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: AuditLimits;
}

/** Makes the audit log of a process over a store. */
export function createNodeAudit({ key, limits = FILE_AUDIT_LIMITS, ...options }: NodeAuditOptions): AuditLog {
  // an object once: from bytes, Node makes one for every hash, at ten times the time
  const secret = createSecretKey(key);
  const hashes = {
    hash: (text: string) => hash('sha256', text),
    hmac: (text: string) => createHmac('sha256', secret).update(text).digest('hex'),
  };
  return createAuditLog({ ...options, hashes, limits });
}

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openAuditFiles } from '../../src/mesh/storage/audit-files.node.ts';
import type { AuditLog } from '../../src/monitor/audit/log.ts';
import { createNodeAudit, type NodeAuditOptions } from '../../src/peer/node/audit.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';

const KEY_BYTES = 32;

export interface AuditLogOptions extends Omit<NodeAuditOptions, 'store' | 'key'> {
  /** the relay's data folder */
  readonly dataDir: string;
}

/**
 * Opens the audit log of a relay, mending what a crash has left half-written.
 * @throws `storage_failed`, the file system's error
 */
export async function openAuditLog({ dataDir, ...options }: AuditLogOptions): Promise<AuditLog> {
  const folder = join(dataDir, 'audit');
  const store = await openAuditFiles(folder);
  return createNodeAudit({ ...options, store, key: await installKey(join(folder, 'hmac-key')) });
}

/** A key that never leaves this folder: without it nobody can guess arguments from their hashes. */
async function installKey(path: string): Promise<Uint8Array> {
  const text = (await readFileIfThere(path))?.trim();
  if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  const made = randomBytes(KEY_BYTES);
  await writeFileAtomic(path, `${made.toString('hex')}\n`);
  return made;
}

import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { NOTHING_ASKED, type ApprovalState, type KeptDecision, type KeptRequest } from './state.ts';

const KEY = 'access/approvals';
const VERSION = 1;

/** Reads what was asked and answered. @throws `format_newer`, `corrupt`, `storage_failed` */
export async function readApprovals(store: KeyValueStore): Promise<ApprovalState> {
  const kept = await store.get<unknown>(KEY);
  if (kept === undefined) return NOTHING_ASKED;
  if (isPlainMap(kept)) {
    const { version, requests, decisions } = kept;
    if (typeof version === 'number' && version > VERSION) {
      throw new TabmeshError('format_newer', `approvals of version ${version}, this app reads ${VERSION}`, {
        hint: 'Update this app.',
      });
    }
    if (version === VERSION && Array.isArray(requests) && Array.isArray(decisions)) {
      return { requests: requests as KeptRequest[], decisions: decisions as KeptDecision[] };
    }
  }
  throw new TabmeshError('corrupt', 'the stored approvals cannot be read', {
    hint: 'Forget the room in this browser and join again.',
  });
}

/** Keeps it. @throws `quota_exceeded`, `storage_failed` */
export async function writeApprovals(store: KeyValueStore, state: ApprovalState): Promise<void> {
  await store.put(KEY, { version: VERSION, requests: [...state.requests], decisions: [...state.decisions] });
}

import type { CidString, DeviceId } from '../lib/ids.ts';
import type { DatasetSummary } from './dataset.ts';
import type { RevocationRecord } from './grants.ts';
import type { SegmentManifest } from './search.ts';

/** How the relay that runs on a device is used by members of the room. */
export interface RelayOffer {
  /** multiaddrs with the relay's peer id, best first */
  readonly addresses: readonly string[];
  /** base64url; null when the relay lets everybody in */
  readonly accessKey: string | null;
}

/** What one device says about itself and what it holds: the content of its own Yjs document. */
export interface DeviceView {
  readonly device: DeviceId;
  readonly name: string;
  readonly kind: 'tab' | 'relay';
  /** of a relay that says how it is used */
  readonly relay?: RelayOffer;
  /** datasets whose blocks this device keeps */
  readonly datasets: Readonly<Record<CidString, DatasetSummary>>;
  /** datasets that this device's shard covers */
  readonly segments: Readonly<Record<CidString, SegmentManifest>>;
  /** grants that the device has revoked, by their CIDs */
  readonly revocations?: Readonly<Record<string, RevocationRecord>>;
  /** the device has signed two histories: this is what they have in common, and nothing is taken from it any more */
  readonly forked?: true;
}

/** The room: a pure fold over all device documents. */
export interface RoomState {
  readonly devices: Readonly<Record<DeviceId, DeviceView>>;
}

/**
 * The typed face of the replica. Writes go to this device's own document, signed by its key, and are durable when the
 * promise resolves; reads see every device.
 */
export interface Replica {
  readonly device: DeviceId;
  state(): RoomState;
  setProfile(profile: Pick<DeviceView, 'name' | 'kind' | 'relay'>): Promise<void>;
  putDataset(summary: DatasetSummary): Promise<void>;
  removeDataset(data: CidString): Promise<void>;
  putSegment(segment: SegmentManifest): Promise<void>;
  removeSegment(dataset: CidString): Promise<void>;
  /** makes known that a grant is void. @throws `invalid_input`, `rate_limited` when the device has revoked too many */
  putRevocation(record: RevocationRecord): Promise<void>;
  /** after any change of the fold, own or foreign; returns the unsubscribe function */
  subscribe(listener: (state: RoomState) => void): () => void;
  close(): Promise<void>;
}

/**
 * One signed update of one author's document. The log of an author is a hash chain: `seq` counts from 0 within
 * `epoch`, `prev` is the SHA-256 of the previous entry's signed bytes.
 */
export interface SignedUpdate {
  /** 1 has no `snapshot`; nobody writes it any more */
  readonly version: 1 | 2;
  readonly author: DeviceId;
  /** an author may start a new log with a snapshot under a higher epoch */
  readonly epoch: number;
  readonly seq: number;
  /** in the first entry of an epoch: of how many entries the snapshot is that the epoch begins with; else 0 */
  readonly snapshot: number;
  readonly prev: Uint8Array;
  /** a Yjs update, v1 encoding: run lengths in the v2 encoding let a few bytes expand to hundreds of megabytes */
  readonly update: Uint8Array;
  /** Ed25519 over the canonical bytes of all fields above, domain-separated, with the room id */
  readonly signature: Uint8Array;
}

/** How far somebody has read an author's log. */
export interface LogPosition {
  readonly epoch: number;
  /** −1 when nothing of the epoch is held: below a fork, or while the first snapshot is not complete */
  readonly seq: number;
  /** of the entry at `seq`: two who have read as far need not have read the same. Left out where it is not known */
  readonly hash?: Uint8Array;
  /** the author signed two histories, which part at this `seq` of the epoch or before */
  readonly fork?: number;
  /** how far a higher epoch's snapshot has come, which counts when it is complete */
  readonly staged?: { readonly epoch: number; readonly seq: number; readonly hash: Uint8Array };
}

/** How far somebody has read each author's log. */
export type Heads = Readonly<Record<DeviceId, LogPosition>>;

import type { DeviceId } from '../lib/ids.ts';
import type { AccessClass } from './tools.ts';

/** Where a call comes from, as far as a device's settings tell callers apart. */
export type CallerClass = 'member' | 'relay';

/** What callers of each class may do at this device without asking. `admin` is never among it. */
export type ClassAccess = Readonly<Record<CallerClass, readonly Exclude<AccessClass, 'admin'>[]>>;

/** Members read and compute, as do the tokens of relays; to change or delete what this device keeps they ask. */
export const DEFAULT_CLASS_ACCESS: ClassAccess = { member: ['read', 'compute'], relay: ['read', 'compute'] };

/** Somebody who asks, or was answered: the device or token as this device knows it. */
export interface Asker {
  /** the same for all calls on behalf of the same; see `principalKey` */
  readonly key: string;
  readonly class: CallerClass;
  /** the device, or the token's name */
  readonly name: string;
  /** the device's own id, or that of the device which a token was made for; null for a token of a relay's owner */
  readonly device: DeviceId | null;
  /** the device of the relay that vouches for the token; absent of a device, and at the relay itself */
  readonly issuer?: DeviceId;
  /** whose questions these are, who may have many keys: a device's tokens ask as the device does. Absent: `key` */
  readonly by?: string;
}

/** A call that waits for the person's answer, or was allowed once and has not been repeated yet. */
export interface ApprovalRequest {
  /** what the caller repeats the call with */
  readonly handle: string;
  readonly asker: Asker;
  readonly tool: string;
  readonly access: AccessClass;
  /** the call's arguments, cut off where they are long: for the person to read */
  readonly args: string;
  readonly state: 'pending' | 'allowed';
  /** how often the same call has been made meanwhile */
  readonly asked: number;
  /** ms since the epoch */
  readonly askedAt: number;
  /** ms since the epoch; it is forgotten then */
  readonly expiresAt: number;
}

/** `once`: this call, one time; `always`: this asker and tool from now on; `no`: not now, and no more questions for a while. */
export type ApprovalAnswer = 'once' | 'always' | 'no';

/** An answer that stands. */
export interface StandingDecision {
  readonly id: string;
  readonly asker: Asker;
  readonly tool: string;
  /** `deny` is a `no` whose time has not passed */
  readonly decision: 'allow' | 'deny';
  /** ms since the epoch */
  readonly decidedAt: number;
  /** ms since the epoch; null: until it is revoked */
  readonly expiresAt: number | null;
}

/**
 * What the owner of this device has to say about calls from elsewhere. Kept for each device and room, the same in all tabs.
 * Every change is durable when its promise resolves.
 */
export interface ApprovalsPort {
  /** calls that wait for an answer, oldest first; at most a few dozen */
  pending(): readonly ApprovalRequest[];
  /** @throws `not_found` when it has been answered or has expired */
  decide(handle: string, answer: ApprovalAnswer): Promise<void>;
  /** newest first */
  standing(): readonly StandingDecision[];
  /** takes an answer back: the next call asks again. @throws `not_found` */
  revoke(id: string): Promise<void>;
  classAccess(): ClassAccess;
  setClassAccess(access: ClassAccess): Promise<void>;
  /** called after any of the above has changed, here or in another tab; returns the unsubscribe function */
  subscribe(listener: () => void): () => void;
  /**
   * Somebody looks at the requests and can answer: until the returned function is called, a call waits a while for the answer
   * before it is told that approval is pending.
   */
  attend(): () => void;
}

import type { DeviceId, RoomId } from '../lib/ids.ts';
import type { AccessClass, TokenScope } from './tools.ts';

/** All access classes, from the one that asks least of a place to the one that asks most. */
export const ACCESS_CLASSES: readonly AccessClass[] = ['read', 'compute', 'write', 'admin'];

/** What a token that names no classes may do, and what a token principal without a scope may do. */
export const DEFAULT_CLASSES: readonly AccessClass[] = ['read', 'compute'];

/** What somebody asks for with a new token. */
export interface TokenRequest {
  /** shown in lists and in the audit log */
  readonly name: string;
  /** {@link DEFAULT_CLASSES} when absent */
  readonly classes?: readonly AccessClass[];
  /** all when absent or null */
  readonly tools?: readonly string[] | null;
  /** calls a minute; the relay's own limit when absent or null */
  readonly perMinute?: number | null;
  /** ms since the epoch; never when absent or null */
  readonly expiresAt?: number | null;
}

/** What is told of a token after it was made: all but the token. */
export interface TokenInfo extends TokenScope {
  readonly id: string;
  readonly name: string;
  /** null: the relay's own room, whichever that is */
  readonly room: RoomId | null;
  /** the member that it was made for; null when the relay's owner made it */
  readonly device: DeviceId | null;
  readonly perMinute: number | null;
  /** ms since the epoch */
  readonly createdAt: number;
  /** ms since the epoch; null when it was not used since the relay started */
  readonly lastUsedAt: number | null;
}

import type { KeyValueStore } from '../../contracts/kv.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { CidString } from '../../lib/ids.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { LISTED_AFTER_MS, MAX_ISSUED } from './limits.ts';
import { readGrantToken } from './token.ts';

const PREFIX = 'access/issued/';
const MS = 1000;

/** A grant as it is kept by who issued it. */
export interface KeptGrant {
  readonly cid: CidString;
  /** compact form */
  readonly token: string;
  /** ms since the epoch */
  readonly at: number;
}

/** The grants that a device has issued in a room. */
export class IssuedGrants {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /** @throws `rate_limited` when there are too many, `storage_failed`, `quota_exceeded` */
  async add(grant: KeptGrant): Promise<void> {
    const kept = await this.list(grant.at);
    if (kept.length >= MAX_ISSUED) {
      throw new TabmeshError('rate_limited', `this device has issued ${MAX_ISSUED} grants that are listed still`, {
        hint: 'Revoked and expired ones leave the list after a week.',
      });
    }
    await this.#store.put(PREFIX + grant.cid, grant);
  }

  has(cid: string): Promise<boolean> {
    return this.#store.get(PREFIX + cid).then((kept) => kept !== undefined);
  }

  /** Newest first; those that ended long ago are forgotten. @param now ms since the epoch. @throws `storage_failed` */
  async list(now: number): Promise<readonly KeptGrant[]> {
    const keys = await this.#store.keys(PREFIX);
    const kept = (await this.#store.getMany<unknown>(keys)).filter(isKept);
    const isOld = ({ token }: KeptGrant) => {
      const { expiry } = readGrantToken(token).claims;
      return expiry !== null && now > expiry * MS + LISTED_AFTER_MS;
    };
    const old = kept.filter(isOld);
    if (old.length > 0) await this.#store.batch(old.map(({ cid }) => ({ key: PREFIX + cid, value: undefined })));
    return kept.filter((grant) => !old.includes(grant)).sort((a, b) => b.at - a.at);
  }
}

const isKept = (value: unknown): value is KeptGrant =>
  isPlainMap(value) &&
  typeof value['cid'] === 'string' &&
  typeof value['token'] === 'string' &&
  typeof value['at'] === 'number';

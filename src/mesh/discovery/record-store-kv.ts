import type { KeyValueStore } from '../../contracts/kv.ts';
import type { PeerRecord } from '../../contracts/discovery.ts';
import { Slots } from '../../lib/slots.ts';
import { recordFromPlain, recordToPlain } from './record.ts';
import type { RecordStore } from './record-store.ts';

const PEERS = 'discovery/peer/';
const CLEANED_AT = 'discovery/cleaned-at';
/** what could not be read is moved here, for whoever wants to know what it was */
const ASIDE = 'discovery/unreadable/';

/**
 * A {@link RecordStore} in the room's key-value store: one key a peer, so that tabs which write at the same time lose no
 * record of each other.
 */
export function createKvRecordStore(kv: KeyValueStore): RecordStore {
  const writing = new Slots(1);

  const read = async (key: string): Promise<PeerRecord | undefined> => {
    const value = await kv.get(key);
    if (value === undefined) return undefined;
    try {
      return recordFromPlain(value);
    } catch {
      // one record less; the peer will be found again
      await kv.batch([
        { key: ASIDE + key.slice(PEERS.length), value },
        { key, value: undefined },
      ]);
      return undefined;
    }
  };
  const list = async () => {
    const records: PeerRecord[] = [];
    for (const key of await kv.keys(PEERS)) {
      const record = await read(key);
      if (record !== undefined) records.push(record);
    }
    return records;
  };

  return {
    list: () => writing.run(list),
    change: (peer, change) =>
      writing.run(async () => {
        const changed = change(await read(PEERS + peer));
        if (changed !== undefined) await kv.put(PEERS + peer, recordToPlain(changed));
      }),
    clean: (expired, now) =>
      writing.run(async () => {
        const gone = (await list()).filter(expired);
        await kv.batch([
          ...gone.map(({ peer }) => ({ key: PEERS + peer, value: undefined })),
          { key: CLEANED_AT, value: now },
        ]);
        return gone.length;
      }),
    cleanedAt: async () => (await kv.get<number>(CLEANED_AT)) ?? null,
  };
}

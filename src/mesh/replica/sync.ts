// The sync messages of y-protocols are not used: their receiver asks for "everything after this state vector" and gets
// one merged update, from which no author's signature can be checked. Here whole signed entries travel, by log position.
import type { Heads, LogPosition, SignedUpdate } from '../../contracts/replica.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { MAX_BATCH_ENTRIES } from './limits.ts';
import { isOffence } from './log.ts';
import type { Rejection } from './log.ts';
import type { RoomReplica } from './replica.ts';
import { decodeSyncMessage, encodeSyncMessage } from './sync-messages.ts';

/** One connection's synchronisation; lives as long as its stream. */
export interface SyncSession {
  /**
   * Takes one message. Await it before reading the next from the stream: that is what holds a fast sender back.
   * @throws `protocol_error` when the other side breaks the protocol, `quota_exceeded`, `storage_failed`; the session is
   *   over then, close the stream
   */
  receive(bytes: Uint8Array): Promise<void>;
  /** Stops sending. */
  close(): void;
}

/**
 * @param send one whole message; resolves when the stream has room for more
 * @param onFailed called once when sending failed: the session is over, close the stream. The next `receive` throws it too
 * @param device of the other side, which is remembered as being here
 */
export type OpenSyncSession = (
  send: (bytes: Uint8Array) => Promise<void>,
  onFailed?: (reason: TabmeshError) => void,
  device?: DeviceId,
) => SyncSession;

type SyncedReplica = Pick<RoomReplica, 'heads' | 'entriesSince' | 'apply' | 'onEntries' | 'seen'>;

/**
 * Synchronises a replica with others, over any ordered stream of messages. Both sides open a session; each tells its
 * heads, sends what the other lacks in bounded batches, and from then on what is new. After a gap or a fork heads are told again.
 */
export function createReplicaSync({ replica }: { readonly replica: SyncedReplica }): OpenSyncSession {
  return (send, onFailed, device) => {
    /** what the other side has, as far as told, sent and received; undefined until it told its heads */
    let remote: Map<DeviceId, LogPosition> | undefined;
    let closed = false;
    let failure: TabmeshError | undefined;
    let pumping = false;
    let wanted = false;
    let receiving: Promise<void> = Promise.resolve();

    const close = () => {
      closed = true;
      unsubscribe();
    };

    const fail = (thrown: unknown) => {
      if (closed) return;
      close();
      failure = toTabmeshError(thrown);
      onFailed?.(failure);
    };

    const sendHeads = () => send(encodeSyncMessage({ type: 'heads', heads: replica.heads() }));

    const isClosed = () => closed;
    const mayGoOn = () => wanted && !closed;

    const sendMissing = async () => {
      for (;;) {
        const told = remote;
        if (told === undefined) return;
        const entries = await replica.entriesSince(toHeads(told), MAX_BATCH_ENTRIES);
        if (entries.length === 0 || isClosed()) return;
        // the other side told its heads anew meanwhile: it may lack what comes before these
        if (told !== remote) continue;
        // noted before it is sent: what is new meanwhile goes into the next batch, not this one again
        noteSent(told, entries, replica.heads());
        await send(encodeSyncMessage({ type: 'entries', entries }));
      }
    };

    const pump = async () => {
      wanted = true;
      if (pumping) return;
      pumping = true;
      try {
        while (mayGoOn()) {
          wanted = false;
          await sendMissing();
        }
      } catch (thrown) {
        fail(thrown);
      } finally {
        pumping = false;
      }
    };

    const handle = async (bytes: Uint8Array) => {
      if (failure !== undefined) throw failure;
      if (closed) return;
      const message = decodeSyncMessage(bytes);
      if (message.type === 'heads') {
        remote = new Map(Object.entries(message.heads) as [DeviceId, LogPosition][]);
        void pump();
        return;
      }
      // noted before it is taken: taking it wakes the pump, which must not send it back
      if (remote !== undefined) noteReceived(remote, message.entries);
      const { rejected } = await replica.apply(message.entries);
      const offence = rejected.find(isOffence);
      if (offence !== undefined) throw offenceError(offence);
      const asksAgain = rejected.some(({ reason }) => reason === 'gap' || reason === 'forked' || reason === 'cut_off');
      if (asksAgain && !isClosed()) await sendHeads();
    };

    const unsubscribe = replica.onEntries(() => {
      void pump();
    });
    const begin = async () => {
      if (device !== undefined) await replica.seen(device);
      if (!isClosed()) await sendHeads();
    };
    begin().catch(fail);

    return {
      receive: (bytes) => {
        const turn = receiving.then(() => handle(bytes));
        receiving = turn.catch(() => {
          // the caller has the failure; what it still sends is not looked at
          close();
        });
        return turn;
      },
      close,
    };
  };
}

/** What was received is what the other side has, unless it has more. */
function noteReceived(positions: Map<DeviceId, LogPosition>, entries: readonly SignedUpdate[]): void {
  for (const { author, epoch, seq } of entries) {
    const known = positions.get(author);
    if (known?.fork !== undefined) continue;
    const further = known === undefined || epoch > known.epoch || (epoch === known.epoch && seq > known.seq);
    if (further) positions.set(author, { epoch, seq });
  }
}

/** What was sent is where the other side stands, also when it had read on in another history before. */
function noteSent(positions: Map<DeviceId, LogPosition>, entries: readonly SignedUpdate[], own: Heads): void {
  for (const { author, epoch, seq } of entries) {
    const fork = own[author]?.fork;
    const isProof = fork !== undefined && own[author]?.epoch === epoch && seq >= fork;
    if (isProof) positions.set(author, { epoch, seq: fork - 1, fork });
    else {
      const known = positions.get(author)?.fork;
      positions.set(author, { epoch, seq, ...(known === undefined ? {} : { fork: known }) });
    }
  }
}

function offenceError({ author, reason }: Rejection): TabmeshError {
  return new TabmeshError('protocol_error', `replica sync: an entry that no honest peer passes on (${reason})`, {
    details: { author, reason },
  });
}

const toHeads = (positions: ReadonlyMap<DeviceId, LogPosition>): Heads => Object.fromEntries(positions);

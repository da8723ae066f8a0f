import { MAX_BLOCK_BYTES } from '../../contracts/dataset.ts';

/** A frame holds one block of the largest size, or as many as fill {@link BATCH_BYTES}. */
export const MAX_TRANSFER_FRAME_BYTES = MAX_BLOCK_BYTES + 1024;

/**
 * The largest message on a data channel between peers of ours. libp2p keeps to 16 KiB for the sake of implementations that we
 * do not meet (`@libp2p/webrtc` 6.0.33, `constants.js`); browsers take 256 KiB. Each message costs an event, a task and a few
 * small copies at both ends, however long it is.
 */
export const BULK_MESSAGE_BYTES = 64 * 1024;

/**
 * Small blocks travel together in a frame that fills a message, with the frame's length and kind: a record has a kilobyte or
 * two, and each frame costs its own messages and events.
 */
export const BATCH_BYTES = BULK_MESSAGE_BYTES - 16;

/**
 * Bytes that may be on their way before the receiver has said that it has stored some: a second of a fast home connection
 * hides any round trip, and a phone has the memory.
 */
export const WINDOW_BYTES = 4 * 1024 * 1024;

/** The receiver tells what it has stored in steps of this much, so that the sender never runs dry in between. */
export const CREDIT_STEP_BYTES = WINDOW_BYTES / 8;

/**
 * Bytes that are hashed at once, beside this thread: enough that it is never waited for, in frames that must be kept until it
 * is done.
 */
export const VERIFY_AHEAD_BYTES = 512 * 1024;

/** Bytes that the sender reads from its store at once, some packs; two such groups are in memory. */
export const READ_BYTES = 1024 * 1024;

/** Blocks of a group, however small they are. */
export const READ_MAX_BLOCKS = 1_024;

/** Transfers that one member may have running here; libp2p resets those above. One is enough, another may be ending. */
export const TRANSFERS_PER_LINK = 2;

/** Transfers served at once, to all members: they share one uplink and one store. */
export const TRANSFERS_SERVED = 4;

/** Silence after which the other side is taken to be gone: a store under load may take seconds for a batch. */
export const STALL_MS = 15_000;

/** Opening a stream and asking take a round trip each. */
export const OPEN_MS = 10_000;

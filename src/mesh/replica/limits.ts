/** One update holds a few map entries of some hundred bytes each. */
export const MAX_UPDATE_BYTES = 64 * 1024;
/** The update, and around it ids, counters, hash, signature and field names. */
export const MAX_ENTRY_BYTES = MAX_UPDATE_BYTES + 512;
/** What one author may make every member store. A device that adds a dataset an hour gets there after years. */
export const MAX_ENTRIES_PER_AUTHOR = 20_000;
export const MAX_BYTES_PER_AUTHOR = 16 * 1024 * 1024;
/** Devices of one room; a secret that leaked must not fill the disks of the members with made-up devices. */
export const MAX_AUTHORS = 1000;
/** Epochs are counted up by hand, so to say: more than these are a mistake or an attack. */
export const MAX_EPOCH = 1_000_000;
/** What is looked at of one device's datasets or segments when folding. */
export const MAX_ITEMS_PER_DEVICE = 10_000;

/** A batch is verified and stored in one go: few enough to keep a frame's time, enough to amortise the disk's sync. */
export const MAX_BATCH_ENTRIES = 64;
/** A batch is closed when it reaches this; with one more entry it still fits a message. */
export const MAX_BATCH_BYTES = 256 * 1024;
/** Heads of {@link MAX_AUTHORS} (70 bytes each), or a batch. */
export const MAX_MESSAGE_BYTES = 512 * 1024;

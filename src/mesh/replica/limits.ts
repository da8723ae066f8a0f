/** One update holds a few map entries of some hundred bytes each. */
export const MAX_UPDATE_BYTES = 64 * 1024;
/** The update, and around it ids, counters, hash, signature and field names. */
export const MAX_ENTRY_BYTES = MAX_UPDATE_BYTES + 512;
/** What is counted for an entry besides its update: what is around it, and its key in the store. */
export const ENTRY_OVERHEAD_BYTES = 512;
/** What one author may make every member store. Honest logs are compacted long before. */
export const MAX_ENTRIES_PER_AUTHOR = 20_000;
export const MAX_BYTES_PER_AUTHOR = 16 * 1024 * 1024;
/** All logs of a room: hundreds of devices with thousands of datasets each; below what a browser gives to a site. */
export const MAX_BYTES_PER_ROOM = 256 * 1024 * 1024;
/** Devices of one room; a secret that leaked must not fill the disks of the members with made-up devices. */
export const MAX_AUTHORS = 1000;
/** Positions of devices that were dropped, kept so that nobody sends them again; the oldest go first. */
export const MAX_DROPPED = 1000;
/** Epochs follow the clock in seconds: far beyond its time, and sums stay exact. */
export const MAX_EPOCH = 2 ** 40;
/** What is looked at of one device's datasets or segments when folding. */
export const MAX_ITEMS_PER_DEVICE = 10_000;
/** Items and deletions that an author's document may be made of: all that a device can list, and as many changes. */
export const MAX_STRUCTS_PER_DOC = 65_536;
/** A dataset summary nests once, a segment manifest twice. */
export const MAX_VALUE_DEPTH = 16;

/** A snapshot is cut into updates of at most this, so that each is sure to stay an update. */
export const SNAPSHOT_PART_BYTES = 48 * 1024;
/** {@link MAX_BYTES_PER_AUTHOR} in such parts, half full. */
export const MAX_SNAPSHOT_ENTRIES = 1024;

/** Changes since the snapshot, of which a document is compacted: a few days of work, loaded in milliseconds. */
export const COMPACT_ENTRIES = 256;
/** For each entry of a large snapshot this many more: it is sent to everybody, so it must be worth it. */
export const COMPACT_ENTRIES_PER_SNAPSHOT_ENTRY = 16;
/** The same in bytes; a larger snapshot may be followed by as much as it has itself. */
export const COMPACT_BYTES = 256 * 1024;
/** At opening: compacted when fewer changes than this would be no gain. */
export const COMPACT_AT_OPEN_ENTRIES = 32;
/** At opening: the log is this many times what a snapshot would take. */
export const COMPACT_AT_OPEN_RATIO = 4;

/** A device that lists nothing and was not heard of for this long has left. A laptop in a drawer comes back sooner. */
export const RETENTION_MS = 180 * 24 * 3600 * 1000;
/** How exactly it is remembered when a device was heard of: a write a day, not one a connection. */
export const SEEN_STEP_MS = 24 * 3600 * 1000;

/** A batch is verified and stored in one go: few enough to keep a frame's time, enough to amortise the disk's sync. */
export const MAX_BATCH_ENTRIES = 64;
/** A batch is closed when it reaches this; with a fork's two entries more it still fits a message. */
export const MAX_BATCH_BYTES = 256 * 1024;
/** Heads of {@link MAX_AUTHORS} and {@link MAX_DROPPED} (170 bytes each), or a batch. */
export const MAX_MESSAGE_BYTES = 512 * 1024;

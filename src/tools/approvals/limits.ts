/** Questions that wait for the person at once: more are read by nobody. */
export const MAX_PENDING = 32;
/** Of these, by one asker, with all the tokens that it has made: one that asks for more wants to wear the person down. */
export const MAX_PENDING_PER_ASKER = 4;
/** Requests kept in all, with those that were answered: so that a repeated handle is told what became of it. */
export const MAX_REQUESTS = 256;
/** Answers that stand: more than anybody goes through to take one back. */
export const MAX_STANDING = 256;
/** How long a question or a given approval is kept, ms: the person may be away until tomorrow. */
export const REQUEST_MS = 24 * 3600_000;
/** After a "no" the same asker may not ask for the same tool again for so long, ms; each further "no" doubles it. */
export const COOL_DOWN_MS = 10 * 60_000;
/** The longest such time, ms: a change of mind within a day is honoured. */
export const MAX_COOL_DOWN_MS = 24 * 3600_000;
/** Characters of the arguments that are kept for the person to read. */
export const MAX_SHOWN_ARGS = 2000;
/** How long a call waits for somebody who looks at the requests, ms: time to read one and decide. */
export const ATTENDED_WAIT_MS = 25_000;
/** When a caller may look again, ms: the person needs to see the request first. */
export const RETRY_AFTER_MS = 15_000;
/** How exactly it is kept how often a call was repeated, ms: a write each time would wear out the disk. */
export const ASKED_STEP_MS = 10_000;

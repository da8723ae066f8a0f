/**
 * Largest arguments of a call as JSON, in UTF-8 bytes. Arguments name data by CID; a mebibyte is far more than any
 * tool needs and small enough that a full house of calls cannot exhaust a phone's memory.
 */
export const MAX_ARGUMENT_BYTES = 1024 * 1024;

/** Longest deadline of a call, ms: what a caller may ask for at most, so that a slot is never held for ever. */
export const MAX_CALL_MS = 60 * 60 * 1000;

/**
 * Calls that one principal may have running at a place. As many as the wire lets a member have in flight, so that an
 * honest caller meets the wire's back-pressure before this refusal.
 */
export const MAX_CALLS_PER_PRINCIPAL = 64;

/** Calls running at a place at once: four principals at their limit. */
export const MAX_CALLS_PER_PLACE = 4 * MAX_CALLS_PER_PRINCIPAL;

/** When a refused caller may try again, ms: most tools answer well within it. */
export const RETRY_AFTER_MS = 1000;

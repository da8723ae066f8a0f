/** Tokens of a chain, root first, that are looked at: `AttenuationPolicy@1` of MCP++. */
export const MAX_DEPTH = 8;
/** Characters of one token: a capability for each of fifty tools. */
export const MAX_TOKEN_CHARS = 16 * 1024;
/** Capabilities of one token. */
export const MAX_CAPABILITIES = 64;
/** CIDs that one token names as its proofs: it has one parent, and may name those before it. */
export const MAX_PROOFS = 8;
/** The longest that a grant of ours is good for, ms: revocations reach who was away, but late. */
export const MAX_LIFETIME_MS = 90 * 24 * 3600_000;
/** How long a nonce is remembered of a token that never expires, s. */
export const NONCE_SECONDS = 3600;
/** Clocks of devices that nobody has set differ by so much, s. */
export const CLOCK_SKEW_SECONDS = 60;
/** Grants of a device that have not expired: more than anybody oversees. */
export const MAX_ISSUED = 512;
/** Tokens whose use is counted, and nonces that are remembered, at a place. */
export const MAX_COUNTED = 4096;
/** Of these, by one grant: who may pass it on signs as many tokens as he likes, and must not use up the room of others. */
export const MAX_COUNTED_PER_ROOT = 128;
/** How long a grant is listed after its end, ms: to see what it was. */
export const LISTED_AFTER_MS = 7 * 24 * 3600_000;
/** Grants that a device was given and keeps: each call to another place is compared with all of them. */
export const MAX_HELD = 128;

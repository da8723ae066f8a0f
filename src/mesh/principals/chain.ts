import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base64url } from 'multiformats/bases/base64';

/** Between the statements of a chain, root first; no character of a statement. */
const JOIN = '~';
/** A call, its fan-out, and a place that asks another: more hops than any tool of ours makes. */
export const MAX_STATEMENTS = 4;
/** A root with a thousand tools in its scope. */
export const MAX_CHAIN_CHARS = 64 * 1024;
/** How long a statement is good for, ms: renewed some minutes before, so that one under way does not lapse. */
export const STATEMENT_MS = 10 * 60_000;
/** Clocks of devices that nobody has set differ by a few minutes. */
export const MAX_CLOCK_SKEW_MS = 5 * 60_000;

/** Appends a statement to a chain. */
export const extendChain = (chain: string, statement: string): string => chain + JOIN + statement;

/** The statements of a chain, root first; more than {@link MAX_STATEMENTS} are not told from one too many. */
export const statementsOf = (chain: string): readonly string[] => chain.split(JOIN, MAX_STATEMENTS + 1);

/** What a link says to name the chain that it continues. */
export const digestOf = (chain: string): string => base64url.baseEncode(sha256(utf8ToBytes(chain)));

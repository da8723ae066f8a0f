import * as z from '../tools/zod.ts';

/** A search box's text, not a document: PubMed takes no longer query in a GET either. */
const MAX_QUERY_CHARS = 2000;
/** Longest id that a source is known to use is far below; the bound keeps ids out of the way of large payloads. */
const MAX_RECORD_ID_CHARS = 200;
/** CIDv1 in base32: 59 characters for a SHA-256, more for longer hashes. */
const CID = /^b[a-z2-7]{50,120}$/;
/** base58 of an Ed25519 key, as libp2p writes it */
const DEVICE_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;
const RECORD_ID = /^[a-z][a-z0-9_-]*:\S+$/;

/** A count of things. */
export const count = (description: string) => z.int().check(z.gte(0), z.describe(description));

/** A whole number within bounds, with a default. */
export const wholeNumber = (from: number, to: number, byDefault: number, description: string) =>
  z._default(z.int().check(z.gte(from), z.lte(to), z.describe(description)), byDefault);

/** A query; space around it is dropped. */
export const query = (description: string) =>
  z.string().check(z.trim(), z.minLength(1), z.maxLength(MAX_QUERY_CHARS), z.describe(description));

/** A content address as an argument. */
export const cid = (description: string) =>
  z.string().check(z.regex(CID, { error: 'expected a CID such as "bafyrei…"' }), z.describe(description));

/** A record's id as an argument. */
export const recordId = (description: string) =>
  z
    .string()
    .check(
      z.maxLength(MAX_RECORD_ID_CHARS),
      z.regex(RECORD_ID, { error: 'expected a record id such as "pubmed:27797938"' }),
      z.describe(description),
    );

/** A device's id as an argument. */
export const deviceId = (description: string) =>
  z
    .string()
    .check(
      z.regex(DEVICE_ID, { error: 'expected a device id such as "12D3KooW…"; list_members lists them' }),
      z.describe(description),
    );

import * as z from '../../tools/zod.ts';
import { wholeNumber } from '../fields.ts';

/** Longer than any id or address there is. */
const MAX_ID_CHARS = 128;
const MAX_ADDRESS_CHARS = 512;
/** More than anybody asks for; each is looked for in every record. */
const MAX_FILTERS = 64;

/** Who connects a peer and lists peers afterwards means the same one. */
export const STICKY = 'peers';

const text = (max: number, description: string) =>
  z.string().check(z.minLength(1), z.maxLength(max), z.describe(description));

export const peerId = text(MAX_ID_CHARS, 'id of the peer, as peer_list and peer_discover give it');

export const multiaddr = text(MAX_ADDRESS_CHARS, 'address of the peer: a multiaddr that ends in /p2p/ and its id');

/** An argument that may be left out, or null. */
export const orNull = <T extends z.core.$ZodType>(schema: T, description: string) =>
  z._default(z.nullable(schema).check(z.describe(description)), null);

export const flag = (byDefault: boolean, description: string) =>
  z._default(z.boolean().check(z.describe(description)), byDefault);

export const capabilityFilter = orNull(
  z.array(text(MAX_ID_CHARS, 'a capability')).check(z.maxLength(MAX_FILTERS)),
  'only peers that have all of these: names of tools, or "tab" or "relay"; null: any',
);

/** @param most longest time, within the tool's own deadline */
export const timeoutSeconds = (byDefault: number, most: number, description: string) =>
  wholeNumber(1, most, byDefault, `seconds: ${description}`);

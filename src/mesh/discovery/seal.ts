import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base32 } from 'multiformats/bases/base32';
import { base64 } from 'multiformats/bases/base64';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { RoomSecret } from '../identity/room-secret.ts';

const KEY_BYTES = 32;
/** 96 bits, random: NIST SP 800-38D §8.2.2 allows 2^32 messages under one key */
const NONCE_BYTES = 12;
/** 80 bits of a name: nobody makes two that are the same, and 16 characters fit a label */
const NAME_BYTES = 10;
/** Lengths are rounded up to this, so that they do not tell how many tools a peer has. */
const PAD_CHARS = 1024;

/**
 * Hides a room's records from a registry that others can read. What they see is how many peers some room has, and when
 * they come and go; neither which room, nor which peers, nor where.
 */
export interface RecordSeal {
  /** the name that stands for a text (a peer id, a capability, the room): the same for all members, meaning nothing to others */
  name(text: string): string;
  /** @param about what the text belongs to; sealed text moved to another place does not open */
  seal(text: string, about: string): Promise<string>;
  /** @throws `corrupt` when it was sealed by somebody else, for something else, or changed */
  open(sealed: string, about: string): Promise<string>;
}

/** The seal of the room's present epoch, at each use. */
export function currentSeal(secret: () => RoomSecret): RecordSeal {
  let made: { readonly epoch: number; readonly seal: RecordSeal } | undefined;
  const now = () => {
    const present = secret();
    if (made?.epoch !== present.epoch) made = { epoch: present.epoch, seal: roomSeal(present) };
    return made.seal;
  };
  return {
    name: (text) => now().name(text),
    seal: (text, about) => now().seal(text, about),
    open: (sealed, about) => now().open(sealed, about),
  };
}

/** A {@link RecordSeal} under keys that only members of the room, in its present epoch, can derive: AES-256-GCM and HMAC-SHA-256. */
export function roomSeal({ room, epoch, secret }: RoomSecret): RecordSeal {
  const derive = (use: string) =>
    hkdf(sha256, secret, utf8ToBytes(room), utf8ToBytes(`tabmesh/${use}/1/epoch/${epoch}`), KEY_BYTES);
  const nameKey = derive('registry-name');
  const key = crypto.subtle.importKey('raw', derive('registry-seal') as BufferSource, 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  const parameters = (iv: Uint8Array, about: string) => ({
    name: 'AES-GCM',
    iv: iv as BufferSource,
    additionalData: utf8ToBytes(about) as BufferSource,
  });
  return {
    name: (text) => base32.baseEncode(hmac(sha256, nameKey, utf8ToBytes(text)).subarray(0, NAME_BYTES)),
    async seal(text, about) {
      const padded = text.padEnd(Math.ceil(text.length / PAD_CHARS) * PAD_CHARS);
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const sealed = await crypto.subtle.encrypt(parameters(iv, about), await key, utf8ToBytes(padded));
      return base64.baseEncode(concatBytes([iv, new Uint8Array(sealed)]));
    },
    async open(sealed, about) {
      try {
        const bytes = base64.baseDecode(sealed.trim());
        const iv = bytes.slice(0, NONCE_BYTES);
        const text = await crypto.subtle.decrypt(parameters(iv, about), await key, bytes.slice(NONCE_BYTES));
        return new TextDecoder().decode(text).trimEnd();
      } catch (cause) {
        throw new TabmeshError('corrupt', 'not sealed by a member of this room for this place', { cause });
      }
    },
  };
}

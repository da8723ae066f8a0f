import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { TabmeshError } from '../../src/lib/errors.ts';
import { readFileIfThere, writeFileAtomic } from '../data-dir/atomic-file.ts';
import { bitString, explicit, generalizedTime, integer, oid, sequence, set, utcTime, utf8String } from './der.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
/** RFC 5280 §4.1.2.2: positive, at most 20 bytes. */
const SERIAL_BYTES = 16;
/** X.509 version 3 is written as 2. */
const V3 = Uint8Array.of(2);
/** RFC 5280 §4.1.2.5: a certificate that does not expire. Peers know it by its hash; a new one would break every invite. */
const NEVER = '99991231235959Z';
/** Long ago, so that no clock is before it. */
const SINCE = '200101000000Z';
/** multihash code and length of SHA-256 */
const SHA256 = Uint8Array.of(0x12, 0x20);

/** The certificate of the relay's WebRTC-Direct listener, as libp2p takes it. */
export interface DirectCertificate {
  readonly privateKey: string;
  readonly pem: string;
  /** multibase base64url of the multihash of the DER bytes, as in the multiaddr */
  readonly certhash: string;
}

/**
 * The certificate in the relay's data folder, made at first use. It is kept, so that addresses with its hash stay good.
 * @param path of the PEM file
 * @throws `corrupt`, the file system's error
 */
export async function loadDirectCertificate(path: string): Promise<DirectCertificate> {
  const kept = await readFileIfThere(path);
  if (kept !== undefined) return read(kept, path);
  const made = makeCertificate();
  await writeFileAtomic(path, made);
  return read(made, path);
}

function read(text: string, path: string): DirectCertificate {
  try {
    const certificate = new X509Certificate(text);
    const key = createPrivateKey(text);
    if (!certificate.checkPrivateKey(key)) throw new Error('key and certificate do not belong together');
    const hash = createHash('sha256').update(certificate.raw).digest();
    return {
      privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      pem: certificate.toString(),
      certhash: `u${Buffer.concat([SHA256, hash]).toString('base64url')}`,
    };
  } catch (cause) {
    throw new TabmeshError('corrupt', `${path} is damaged`, {
      hint: 'Restore it from a backup, or delete it: the relay’s WebRTC-Direct address is then another one.',
      cause,
    });
  }
}

/** A self-signed ECDSA P-256 certificate, the kind that all browsers take, and its key, PEM. */
function makeCertificate(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const name = sequence(set(sequence(oid(COMMON_NAME), utf8String('Tabmesh relay'))));
  const signed = sequence(
    explicit(0, integer(V3)),
    integer(randomBytes(SERIAL_BYTES)),
    algorithm,
    name,
    sequence(utcTime(SINCE), generalizedTime(NEVER)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  const der = sequence(signed, algorithm, bitString(sign('sha256', signed, privateKey)));
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return pem + privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

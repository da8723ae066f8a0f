import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { integer, oid } from '../../../relay/libp2p/der.ts';
import { loadDirectCertificate } from '../../../relay/libp2p/direct-certificate.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabmesh-cert-'));
  path = join(folder, 'webrtc-direct.pem');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('is a self-signed certificate that is valid now, and for good', async () => {
  const { pem, certhash, privateKey } = await loadDirectCertificate(path);
  const certificate = new X509Certificate(pem);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.validToDate.getUTCFullYear()).toBe(9999);
  expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
  expect(privateKey).toContain('PRIVATE KEY');
  const multihash = Buffer.from(certhash.slice(1), 'base64url');
  expect([...multihash.subarray(0, 2)]).toEqual([0x12, 32]);
  expect(multihash.subarray(2)).toEqual(createHash('sha256').update(certificate.raw).digest());
});

it('is the same after a restart, and the owner’s alone', async () => {
  const first = await loadDirectCertificate(path);
  expect(await loadDirectCertificate(path)).toEqual(first);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it('is never replaced unasked, since invites name it', async () => {
  await loadDirectCertificate(path);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.slice(0, -100));
  await expect(loadDirectCertificate(path)).rejects.toMatchObject({ code: 'corrupt' });
});

it('is written in DER: numbers positive and short, object ids in base 128', () => {
  expect([...integer(Uint8Array.of(0, 0, 0x80))]).toEqual([2, 2, 0, 0x80]);
  expect([...integer(Uint8Array.of(0))]).toEqual([2, 1, 0]);
  expect(oid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
});

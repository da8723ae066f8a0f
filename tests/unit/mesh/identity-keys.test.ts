import { encode } from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import type { PeerId } from '../../../src/lib/ids.ts';
import { issueCertificate, verifyCertificate } from '../../../src/mesh/identity/certificate.ts';
import { idOf, isDeviceId, publicKeyOf } from '../../../src/mesh/identity/device-id.ts';
import { loadDeviceKey } from '../../../src/mesh/identity/device-key.ts';
import { newRoom } from '../../support/new-room.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { createProcessLock } from '../../../src/mesh/storage/lock.ts';
import { newDevice } from '../../support/replica.ts';

describe('device key', () => {
  it('is made once, whoever asks at the same time, and found again', async () => {
    const options = { store: createMemoryStore(), lock: createProcessLock() };
    const keys = await Promise.all([loadDeviceKey(options), loadDeviceKey(options)]);
    const again = await loadDeviceKey(options);
    expect(new Set([...keys, again].map(({ id }) => id)).size).toBe(1);
    expect(again.privateKey.equals(keys[0].privateKey)).toBe(true);
  });

  it('is left alone when a newer app stored it, and reported when it is damaged', async () => {
    const options = { store: createMemoryStore(), lock: createProcessLock() };
    await loadDeviceKey(options);
    const stored = await options.store.get('device/key');
    await options.store.put('format/device', 2);
    await expect(loadDeviceKey(options)).rejects.toMatchObject({ code: 'format_newer', hint: 'Update this app.' });
    expect(await options.store.get('device/key')).toEqual(stored);
    await options.store.put('format/device', 1);
    for (const damaged of [Uint8Array.of(8, 1, 18, 0), 'text', null]) {
      await options.store.put('device/key', damaged);
      await expect(loadDeviceKey(options)).rejects.toMatchObject({ code: 'corrupt' });
      expect(await options.store.get('device/key')).toEqual(damaged);
    }
  });
});

describe('device id', () => {
  it('holds the public key, and has one way to be written', async () => {
    const { id, privateKey } = await newDevice();
    expect(publicKeyOf(id).equals(privateKey.publicKey)).toBe(true);
    expect(idOf(publicKeyOf(id))).toBe(id);
    const asCid = privateKey.publicKey.toCID().toString();
    for (const other of [
      asCid,
      `z${id}`,
      id.slice(1),
      `${id}1`,
      id.toLowerCase(),
      '',
      7,
      null,
      '12D3KooW' + '1'.repeat(44),
    ]) {
      expect(isDeviceId(other), String(other)).toBe(false);
    }
  });
});

describe('peer certificate', () => {
  const { room } = newRoom();
  const peerId = async () => (await newDevice()).id as string as PeerId;

  it('names the device that signed it, for this peer and room only', async () => {
    const device = await newDevice();
    const [peer, otherPeer] = [await peerId(), await peerId()];
    const certificate = await issueCertificate(device, peer, room);
    expect(await verifyCertificate(certificate, peer, room)).toBe(device.id);
    await expect(verifyCertificate(certificate, otherPeer, room)).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(verifyCertificate(certificate, peer, newRoom().room)).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('is refused when any bit of it is changed, or it is anything else', async () => {
    const device = await newDevice();
    const peer = await peerId();
    const certificate = await issueCertificate(device, peer, room);
    const refused = (bytes: Uint8Array) =>
      expect(verifyCertificate(bytes, peer, room)).rejects.toMatchObject({ code: 'unauthorized' });
    for (let at = 0; at < certificate.length; at += 3) {
      // the byte of the version number is the one that may say "newer"
      const changed = certificate.map((byte, index) => (index === at ? byte ^ 0x20 : byte));
      await expect(verifyCertificate(changed, peer, room)).rejects.toMatchObject({
        code: expect.stringMatching(/^(unauthorized|version_mismatch)$/) as string,
      });
      await refused(certificate.subarray(0, at));
    }
    await refused(new Uint8Array(10_000));
    await refused(encode({ version: 1, device: device.id }));
    await refused(encode({ version: 1, device: (await newDevice()).id, signature: new Uint8Array(64) }));
    await expect(verifyCertificate(encode({ version: 2, more: true }), peer, room)).rejects.toMatchObject({
      code: 'version_mismatch',
    });
  });
});

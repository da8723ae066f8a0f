import qrcode from 'qrcode';
import { describe, expect, it } from 'vitest';
import { qrPath } from '../../../src/app/mesh/qr-path.ts';
import { openCamera } from '../../../src/app/onboarding/scan/camera.ts';
import { readQr } from '../../../src/app/onboarding/scan/read-qr.ts';

/** A picture of a QR code as a camera gives it: RGBA, with the white margin around. */
function pictureOf(size: number, dark: (x: number, y: number) => boolean) {
  const scale = 3;
  const margin = 4;
  const width = (size + 2 * margin) * scale;
  const data = new Uint8ClampedArray(width * width * 4).fill(255);
  for (let y = 0; y < size * scale; y += 1) {
    for (let x = 0; x < size * scale; x += 1) {
      if (!dark(Math.floor(x / scale), Math.floor(y / scale))) continue;
      const at = ((y + margin * scale) * width + x + margin * scale) * 4;
      data.fill(0, at, at + 3);
    }
  }
  return { width, height: width, data };
}

const INVITE = `https://relay.example.org/#join=${'o2F2AWRyb29tUGFiY2RlZmdoaWprbG1ub3A'.repeat(8)}`;
const scope = (isSecureContext: boolean, mediaDevices?: unknown) =>
  ({ isSecureContext, navigator: { mediaDevices } }) as unknown as Parameters<typeof openCamera>[0];
const refusing = (name: string) => scope(true, { getUserMedia: () => Promise.reject(new DOMException('no', name)) });

describe('scanning an invite', () => {
  it('reads the code that the app draws', async () => {
    const { size, path } = await qrPath(INVITE);
    const dark = new Set(path.match(/(?<=M)\d+ \d+/g));
    expect(readQr(pictureOf(size, (x, y) => dark.has(`${x} ${y}`)))).toBe(INVITE);
  });

  it('reads a code that another program draws', () => {
    const { modules } = qrcode.create(INVITE, { errorCorrectionLevel: 'M' });
    expect(readQr(pictureOf(modules.size, (x, y) => modules.get(y, x) !== 0))).toBe(INVITE);
  });

  it('sees nothing in a picture without one', () => {
    const blank = { width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4).fill(200) };
    expect(readQr(blank)).toBeNull();
  });

  it.each([
    ['an insecure page', scope(false), /https/],
    ['a browser without cameras', scope(true), /https/],
    ['a camera that is not allowed', refusing('NotAllowedError'), /may not use the camera/],
    ['no camera', refusing('NotFoundError'), /no camera/],
    ['a camera in use', refusing('NotReadableError'), /in use/],
    ['anything else', refusing('AbortError'), /could not be started/],
  ])('says why and what to do: %s', async (_, where, message) => {
    await expect(openCamera(where)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(/paste/i) as string,
    });
  });
});

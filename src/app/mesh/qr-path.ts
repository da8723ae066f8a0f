/** A QR code as one SVG path over a grid of `size` × `size` modules. */
export interface QrPath {
  readonly size: number;
  readonly path: string;
}

/**
 * Encodes `text` as a QR code; the encoder is loaded when first needed. Level L: a screen is not scratched, and an
 * invite is long enough already.
 */
export async function qrPath(text: string): Promise<QrPath> {
  const { default: qrcode } = await import('qrcode');
  const { modules } = qrcode.create(text, { errorCorrectionLevel: 'L' });
  let path = '';
  for (let y = 0; y < modules.size; y += 1) {
    for (let x = 0; x < modules.size; x += 1) {
      if (modules.get(y, x) !== 0) path += `M${String(x)} ${String(y)}h1v1h-1z`;
    }
  }
  return { size: modules.size, path };
}

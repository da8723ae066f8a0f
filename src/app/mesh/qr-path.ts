/** A QR code as one SVG path over a grid of `size` × `size` modules. */
export interface QrPath {
  readonly size: number;
  readonly path: string;
}

/**
 * Encodes `text` as a QR code; the encoder is loaded when first needed. The least error correction: a screen is not
 * scratched, and an invite is long enough already.
 */
export async function qrPath(text: string): Promise<QrPath> {
  const { encodeQR } = await import('qr');
  // a margin of one module is its least; the drawing has its own
  const rows = encodeQR(text, 'raw', { ecc: 'low', border: 1 });
  const modules = rows.flatMap((row, y) =>
    row.map((dark, x) => (dark ? `M${String(x - 1)} ${String(y - 1)}h1v1h-1z` : '')),
  );
  return { size: rows.length - 2, path: modules.join('') };
}

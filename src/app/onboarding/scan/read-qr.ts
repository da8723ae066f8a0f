import decodeQR from 'qr/decode.js';

/** Reads the QR code in a picture of RGBA pixels; null when it shows none that can be read. */
export function readQr(image: Pick<ImageData, 'width' | 'height' | 'data'>): string | null {
  try {
    return decodeQR(image);
  } catch {
    // the library throws for every picture without a code, which most are
    return null;
  }
}

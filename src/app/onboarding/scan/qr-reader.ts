/** Reads the QR code in a picture; null when there is none. */
export type QrReader = (video: HTMLVideoElement) => Promise<string | null>;

/** The part of the Barcode Detection API that is used here (WICG); Chrome on Android and macOS has it. */
interface Detector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { readonly formats: readonly string[] }): Detector;
  getSupportedFormats(): Promise<readonly string[]>;
}

/** The browser's own reader where it has one; else a library, loaded now. */
export async function createQrReader(): Promise<QrReader> {
  const native = (globalThis as { readonly BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (native !== undefined && (await native.getSupportedFormats()).includes('qr_code')) {
    const detector = new native({ formats: ['qr_code'] });
    return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
  }
  const { readQr } = await import('./read-qr.ts');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return (video) => {
    if (context === null || video.videoWidth === 0) return Promise.resolve(null);
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    context.drawImage(video, 0, 0);
    return Promise.resolve(readQr(context.getImageData(0, 0, canvas.width, canvas.height)));
  };
}

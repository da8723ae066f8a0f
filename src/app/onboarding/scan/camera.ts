import { TabmeshError } from '../../../lib/errors.ts';

/** Sharp enough for the dense code of an invite, small enough to look through many times a second. */
const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } },
};
const PASTE = 'Paste the link instead.';

/** What a refusal of `getUserMedia` means (W3C Media Capture and Streams, 10.2). */
const REASONS: Readonly<Record<string, { readonly message: string; readonly hint: string }>> = {
  NotAllowedError: {
    message: 'this page may not use the camera',
    hint: `Allow it in the browser’s site settings, or paste the link instead.`,
  },
  NotFoundError: { message: 'this device has no camera', hint: PASTE },
  NotReadableError: {
    message: 'the camera is in use by something else',
    hint: 'Close what uses it and try again, or paste the link instead.',
  },
};

/**
 * Opens the camera that looks away from the person, if there is a choice.
 * @throws `unsupported` with the reason: no camera, not allowed, in use, or a page that browsers give no camera to
 */
export async function openCamera(
  scope: Pick<typeof globalThis, 'isSecureContext' | 'navigator'> = globalThis,
): Promise<MediaStream> {
  // undefined on insecure pages, whatever the DOM's types say
  const devices = scope.navigator.mediaDevices as MediaDevices | undefined;
  if (!scope.isSecureContext || devices === undefined) {
    throw new TabmeshError('unsupported', 'browsers give the camera to pages over https or from this computer only', {
      hint: PASTE,
    });
  }
  try {
    return await devices.getUserMedia(WANTED);
  } catch (cause) {
    const reason = REASONS[cause instanceof Error ? cause.name : ''];
    throw new TabmeshError('unsupported', reason?.message ?? 'the camera could not be started', {
      hint: reason?.hint ?? PASTE,
      cause,
    });
  }
}

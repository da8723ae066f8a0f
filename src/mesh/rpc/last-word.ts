import type { Stream } from '@libp2p/interface';
import type { TabmeshError } from '../../lib/errors.ts';
import { encodeFrame } from './frames.ts';
import { errorResponse } from './responses.ts';

/** Tells the other end of a stream that is about to be ended why, if it still listens. */
export function sayLastWord(stream: Stream, error: TabmeshError): void {
  try {
    stream.send(encodeFrame(JSON.stringify(errorResponse(null, error))));
  } catch {
    // it is closed already, and nobody there to be told
  }
}

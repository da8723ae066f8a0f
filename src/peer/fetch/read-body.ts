import type { FetchAnswer } from '../../contracts/fetch.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';

/** Ten times a full page of PubMed records; the same for a tab and for a relay. */
export const MAX_ANSWER_BYTES = 25 * 1024 * 1024;

/**
 * Reads a fetch response whole, but no further than the bound.
 * @param host of the service that answers, for messages
 * @throws `upstream_too_large`, `upstream_unreachable` when the connection breaks, the signal's reason
 */
export async function readAnswer(response: Response, host: string, signal: AbortSignal): Promise<FetchAnswer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) break;
      bytes += chunk.value.byteLength;
      if (bytes > MAX_ANSWER_BYTES) throw answerTooLarge(host, MAX_ANSWER_BYTES);
      parts.push(chunk.value);
    }
  } catch (thrown) {
    await reader?.cancel().catch(() => undefined);
    throw brokenFetch(thrown, `the answer of ${host} broke off`, signal);
  }
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: concatBytes(parts),
  };
}

/** The refusal of an answer that is larger than we read. */
export function answerTooLarge(host: string, maxBytes: number): TabmeshError {
  return new TabmeshError('upstream_too_large', `the answer of ${host} is larger than ${maxBytes} bytes`, {
    hint: 'Ask for less at once.',
    details: { maxBytes },
  });
}

/** What a failed `fetch` or read means: our own wish to stop, a typed error, or a broken network, said as `message`. */
export function brokenFetch(thrown: unknown, message: string, signal: AbortSignal): TabmeshError {
  if (signal.aborted) return toTabmeshError(signal.reason, 'cancelled');
  if (thrown instanceof TabmeshError) return thrown;
  return new TabmeshError('upstream_unreachable', message, {
    hint: 'Check the network, then try again.',
    retryable: true,
    cause: thrown,
  });
}

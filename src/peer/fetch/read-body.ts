import type { FetchAnswer } from '../../contracts/fetch.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { TabmeshError, toTabmeshError } from '../../lib/errors.ts';

/** The relay's own bound on an answer; a service that sends more is not asked directly either. */
export const MAX_ANSWER_BYTES = 25 * 1024 * 1024;

/**
 * Reads a fetch response whole, but no further than the bound.
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
      if (bytes > MAX_ANSWER_BYTES) {
        throw new TabmeshError('upstream_too_large', `${host} sent more than ${MAX_ANSWER_BYTES} bytes`, {
          hint: 'Ask for fewer records at once.',
        });
      }
      parts.push(chunk.value);
    }
  } catch (thrown) {
    await reader?.cancel().catch(() => undefined);
    throw brokenFetch(thrown, host, signal);
  }
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: concatBytes(parts),
  };
}

/** What a failed `fetch` or read means: our own wish to stop, a typed error, or a broken network. */
export function brokenFetch(thrown: unknown, host: string, signal: AbortSignal): TabmeshError {
  if (signal.aborted) return toTabmeshError(signal.reason, 'cancelled');
  if (thrown instanceof TabmeshError) return thrown;
  return new TabmeshError('upstream_unreachable', `${host} could not be reached`, {
    hint: 'Check the network, then try again.',
    retryable: true,
    cause: thrown,
  });
}

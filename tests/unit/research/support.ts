import type { BlockStore } from '../../../src/contracts/dataset.ts';
import type { FetchAnswer, FetchPort } from '../../../src/contracts/fetch.ts';
import type { StepProgress } from '../../../src/contracts/workflow.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { CidString, RunId } from '../../../src/lib/ids.ts';

const EUTILS_ORIGIN = 'https://eutils.ncbi.nlm.nih.gov';

/** A clock on which waiting costs nothing but shows: `slept` lists every pause. */
export function instantClock(): Clock & { readonly slept: number[] } {
  let now = Date.UTC(2026, 0, 1);
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
      await Promise.resolve();
    },
  };
}

/** The fetch port over real HTTP: `upstream` takes the place of NCBI; bounds are small. */
export function httpPort(
  upstream: string,
  { maxBytes = 8 * 1024 * 1024, timeoutMs = 10_000 }: { maxBytes?: number; timeoutMs?: number } = {},
): FetchPort {
  return {
    async get(url, { signal, accept = '*/*' }) {
      const limit = AbortSignal.timeout(timeoutMs);
      const both = AbortSignal.any([signal, limit]);
      try {
        const response = await fetch(url.replace(EUTILS_ORIGIN, upstream), { signal: both, headers: { accept } });
        const chunks: Uint8Array[] = [];
        let size = 0;
        for await (const chunk of response.body ?? []) {
          const bytes = chunk as Uint8Array;
          size += bytes.byteLength;
          if (size > maxBytes) throw new TabmeshError('upstream_too_large', 'too large');
          chunks.push(bytes);
        }
        return answerOf(response.status, Buffer.concat(chunks), Object.fromEntries(response.headers));
      } catch (thrown) {
        if (thrown instanceof TabmeshError) throw thrown;
        if (signal.aborted) throw new TabmeshError('cancelled', 'cancelled', { cause: thrown });
        if (limit.aborted) throw new TabmeshError('timeout', 'no answer in time', { cause: thrown });
        throw new TabmeshError('upstream_unreachable', String(thrown), { cause: thrown });
      }
    },
  };
}

export function answerOf(status: number, body: Uint8Array | string, headers: Record<string, string> = {}): FetchAnswer {
  return { status, headers, body: typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body) };
}

export function memoryBlocks(): BlockStore & { readonly map: Map<CidString, Uint8Array> } {
  const map = new Map<CidString, Uint8Array>();
  const get = (cid: CidString) => {
    const bytes = map.get(cid);
    return bytes === undefined ? Promise.reject(new TabmeshError('not_found', cid)) : Promise.resolve(bytes);
  };
  return {
    map,
    get,
    getMany: (cids) => Promise.all(cids.map(get)),
    has: (cid) => Promise.resolve(map.has(cid)),
    putMany: (blocks) => {
      for (const { cid, bytes } of blocks) map.set(cid, bytes);
      return Promise.resolve();
    },
    delete: (cid) => {
      map.delete(cid);
      return Promise.resolve();
    },
    deleteMany: (cids) => {
      for (const cid of cids) map.delete(cid);
      return Promise.resolve();
    },
  };
}

/** What an action is given; `progress` is collected. */
export function actionContext(signal: AbortSignal = new AbortController().signal) {
  const seen: StepProgress[] = [];
  return { runId: 'run' as RunId, signal, progress: (p: StepProgress) => void seen.push(p), seen };
}

/** The error that `promise` rejects with; fails when it resolves or rejects with anything else. */
export async function errorOf(promise: Promise<unknown>): Promise<TabmeshError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof TabmeshError) return thrown;
    throw new Error('rejected with something else than a TabmeshError', { cause: thrown });
  }
  throw new Error('did not reject');
}

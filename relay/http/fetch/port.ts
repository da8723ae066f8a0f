import type { FetchPort } from '../../../src/contracts/fetch.ts';
import { answerTooLarge, MAX_ANSWER_BYTES } from '../../../src/peer/fetch/read-body.ts';
import type { Upstreams } from './upstreams.ts';

/** The relay's own peer fetching: the same checks, bounds and upstream mapping as for members, without the hop over HTTP. */
export function upstreamsFetchPort(upstreams: Upstreams): FetchPort {
  return {
    async get(url, { signal, accept }) {
      const answer = await upstreams.get(url, { signal, accept });
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of answer.body) {
        bytes += chunk.byteLength;
        if (bytes > MAX_ANSWER_BYTES) throw answerTooLarge(new URL(answer.url).host, MAX_ANSWER_BYTES);
        chunks.push(chunk);
      }
      return { status: answer.status, headers: answer.headers, body: Buffer.concat(chunks) };
    },
  };
}

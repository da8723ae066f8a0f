import { TabmeshError } from '../../../src/lib/errors.ts';

const TIMEOUTS = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'];
const MALFORMED = ['Z_DATA_ERROR', 'Z_BUF_ERROR'];

/** What went wrong between this relay and a service, as one of our errors; `host` is what the message names. */
export function upstreamError(thrown: unknown, host: string): TabmeshError {
  if (thrown instanceof TabmeshError) return thrown;
  const code = errorCode(thrown);
  if (TIMEOUTS.includes(code)) {
    return new TabmeshError('timeout', `${host} did not answer in time`, {
      hint: 'Try again later.',
      retryable: true,
      cause: thrown,
    });
  }
  if (MALFORMED.includes(code) || isParserError(thrown)) {
    return new TabmeshError('upstream_malformed', `${host} sent an answer that is not valid HTTP`, { cause: thrown });
  }
  return new TabmeshError('upstream_unreachable', `${host} cannot be reached (${code})`, {
    hint: 'Check the network of the relay, or try again later.',
    retryable: true,
    cause: thrown,
  });
}

/** By its name: undici, whose error it is, is loaded with the first request. */
const isParserError = (thrown: unknown) => thrown instanceof Error && thrown.name === 'HTTPParserError';

function errorCode(thrown: unknown): string {
  if (thrown instanceof AggregateError) return errorCode(thrown.errors[0]);
  if (typeof thrown !== 'object' || thrown === null) return 'unknown';
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'unknown';
}

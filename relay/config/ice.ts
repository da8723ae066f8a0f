import { resolve } from 'node:path';
import { STUN_URL, TURN_URL } from '../../src/contracts/relay.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { badOption } from './bad-option.ts';

/** Browsers slow down with more, and a peer has some of its own. */
const MAX_URLS = 4;

/**
 * Reads `--stun`, `--turn` and `--turn-secret-file`.
 * @throws `invalid_input` for an URL that is none, for too many, or when one of `--turn` and its secret is missing
 */
export function parseIce(stun: readonly string[], turn: readonly string[], secretFile: string | undefined) {
  for (const [name, urls, form] of [
    ['stun', stun, STUN_URL],
    ['turn', turn, TURN_URL],
  ] as const) {
    const bad = urls.find((url) => !form.test(url));
    if (bad !== undefined) throw badOption(name, bad, `an address such as ${name}:${name}.example.org:3478`);
    if (urls.length > MAX_URLS) throw badOption(name, urls.join(' '), `at most ${MAX_URLS} addresses`);
  }
  if (turn.length > 0 !== (secretFile !== undefined)) {
    throw new TabmeshError('invalid_input', '--turn and --turn-secret-file go together: give both or neither');
  }
  return { stun, turn, turnSecretFile: secretFile === undefined ? null : resolve(secretFile) };
}

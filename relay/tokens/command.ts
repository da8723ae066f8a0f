import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { TokenInfo } from '../../src/contracts/access.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { DEFAULT_DATA, environmentName } from '../config/options.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import { made, without } from './change.ts';
import { changeTokens, readTokens } from './file.ts';
import { readTokenRequest } from './request.ts';
import { infoOf } from './tokens.ts';

const USAGE =
  'token list | token create NAME [--class CLASS]… [--tool NAME]… [--per-minute N] [--expires TIME] | token revoke ID, each with --data DIR';
const DURATION = /^(\d{1,5})([mhd])$/;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * `token …`: the tokens of the relay with this data folder, running or not. A relay that runs follows within a second.
 * @param args what follows `token` on the command line
 * @returns what to print: a line for each token (id, name, classes, tools, rate, expiry, member), or the new token
 * @throws `invalid_input`, `not_found`, `rate_limited`, `conflict`, with a message of one line
 */
export async function runTokenCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock = systemClock,
): Promise<string> {
  const { what, name, values } = read(args);
  const dataDir = resolve(values.data ?? env[environmentName('data')] ?? DEFAULT_DATA);
  if ((await stat(dataDir).catch(() => null)) === null) {
    throw new TabmeshError('not_found', `there is no relay's data folder at ${dataDir}`, {
      hint: 'Name it with --data.',
    });
  }
  if (what === 'list') return (await readTokens(dataDir)).map((token) => `${line(infoOf(token, null))}\n`).join('');
  if (what === 'revoke') {
    await changeTokens(dataDir, (tokens) => without(tokens, name, undefined), clock);
    return 'Revoked.\n';
  }
  const now = clock.now();
  const request = readTokenRequest(
    {
      name,
      ...(values.class && { classes: values.class }),
      ...(values.tool && { tools: values.tool }),
      ...(values['per-minute'] !== undefined && { perMinute: Number(values['per-minute']) }),
      ...(values.expires !== undefined && { expiresAt: timeOf(values.expires, now) }),
    },
    now,
  );
  const token = newSecret('tm');
  const entry = made(request, { room: null, device: null, parent: null, hash: hashSecret(token) }, now);
  await changeTokens(dataDir, entry.add, clock);
  return `${token}\n`;
}

function read(args: readonly string[]) {
  const bad = (cause?: unknown) => new TabmeshError('invalid_input', `the command is ${USAGE}`, { cause });
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        class: { type: 'string', multiple: true },
        tool: { type: 'string', multiple: true },
        'per-minute': { type: 'string' },
        expires: { type: 'string' },
      },
      strict: true,
      allowPositionals: true,
    });
  } catch (cause) {
    throw bad(cause);
  }
  const { positionals, values } = parsed;
  const [what, name = '', ...rest] = positionals;
  const known = what === 'list' || what === 'create' || what === 'revoke';
  if (!known || rest.length > 0 || (what === 'list') !== (name === '')) throw bad();
  return { what, name, values };
}

/** `30d`, `12h`, `45m` from now, or an ISO 8601 time. @returns ms since the epoch. @throws `invalid_input` */
function timeOf(text: string, now: number): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  const time =
    count === undefined || unit === undefined ? Date.parse(text) : now + Number(count) * (UNIT_MS[unit] ?? NaN);
  if (time > now) return time;
  throw new TabmeshError('invalid_input', `--expires: "${text}" is no time to come`, {
    hint: 'Write 30d, 12h, 45m, or a time such as 2027-01-31T12:00Z.',
  });
}

function line({ id, name, classes, tools, perMinute, expiresAt, device }: TokenInfo): string {
  return [
    id,
    name,
    classes.join(','),
    tools === null ? 'all tools' : tools.join(','),
    perMinute === null ? 'usual rate' : `${perMinute}/min`,
    expiresAt === null ? 'no expiry' : new Date(expiresAt).toISOString(),
    device ?? 'owner',
  ].join('\t');
}

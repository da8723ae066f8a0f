import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/lib/clock.ts';
import { TabmeshError } from '../../src/lib/errors.ts';
import { DEFAULT_DATA, environmentName } from '../config/options.ts';
import { createKey, INVITE_KEY, listKeys, revokeKey } from './keys.ts';

const USAGE = 'access list | access create NAME | access revoke NAME, each with --data DIR';

/**
 * `access …`: the access keys of the relay with this data folder, running or not.
 * @param args what follows `access` on the command line
 * @returns what to print
 * @throws `invalid_input`, `not_found`, `conflict`, with a message of one line
 */
export async function runAccessCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const { what, name, dataDir } = read(args, env);
  if ((await stat(dataDir).catch(() => null)) === null) {
    throw new TabmeshError('not_found', `there is no relay's data folder at ${dataDir}`, {
      hint: 'Name it with --data.',
    });
  }
  switch (what) {
    case 'list': {
      const keys = await listKeys(dataDir);
      return keys
        .map((key) => `${key.name}\t${key.createdAt}${key.key === null ? '' : '\tin the relay’s invite'}\n`)
        .join('');
    }
    case 'create':
      return `${await createKey(dataDir, name, systemClock)}\n`;
    default:
      await revokeKey(dataDir, name, systemClock);
      return name === INVITE_KEY
        ? 'Revoked. The relay has made a new one: restart it to see its new invite.\n'
        : 'Revoked.\n';
  }
}

function read(args: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const bad = (cause?: unknown) => new TabmeshError('invalid_input', `the command is ${USAGE}`, { cause });
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      options: { data: { type: 'string' } },
      strict: true,
      allowPositionals: true,
    });
  } catch (cause) {
    throw bad(cause);
  }
  const [what, name = '', ...rest] = parsed.positionals;
  const known = what === 'list' || what === 'create' || what === 'revoke';
  if (!known || rest.length > 0 || (what === 'list') !== (name === '')) throw bad();
  return { what, name, dataDir: resolve(parsed.values.data ?? env[environmentName('data')] ?? DEFAULT_DATA) };
}

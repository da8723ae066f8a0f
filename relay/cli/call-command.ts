import { TabmeshError } from '../../src/lib/errors.ts';
import type { ToolProgress } from '../../src/contracts/tools.ts';
import type { RunCommand } from './command.ts';
import { createRestClient } from './rest-client.ts';

/** `tabmesh call NAME [--json ARGS] [--place PEER] [--approval HANDLE] [--verbose]`: runs a tool; the answer, and nothing else, is on stdout. */
export const runCall: RunCommand = async ({ flags, room, stdout, stderr, interactive, stop }) => {
  const { words, json, place, approval, verbose } = flags;
  const [name = ''] = words;
  const text = json === '-' ? await readStdin(stop) : json;
  const { result, route, tookMs } = await createRestClient(room)
    .call(name, readArguments(text), {
      place,
      approval,
      signal: stop,
      ...(interactive ? { onProgress: (progress) => stderr(`${progressLine(progress)}\n`) } : {}),
    })
    .catch((error: unknown) => {
      throw withHandle(error);
    });
  if (verbose) {
    const chosen = route.candidates.find((candidate) => candidate.place.peer === route.chosen.peer);
    stderr(`${String(Math.round(tookMs))} ms at ${route.chosen.name}: ${(chosen?.reasons ?? []).join(', ')}\n`);
  }
  stdout(`${JSON.stringify(result, null, 2)}\n`);
  return 0;
};

/** Says how the call is taken up again when somebody has to approve it first. */
function withHandle(error: unknown): unknown {
  if (!(error instanceof TabmeshError) || error.code !== 'approval_pending') return error;
  return new TabmeshError(error.code, error.message, {
    hint: `When it is allowed, repeat the same command with --approval ${String(error.details['handle'])}`,
    retryable: error.retryable,
    details: { ...error.details },
    cause: error,
  });
}

function readArguments(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `--json is not JSON: ${(cause as Error).message}`, {
      hint: `Write it in single quotes, e.g. --json '{"query": "aspirin"}'.`,
      cause,
    });
  }
}

async function readStdin(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function progressLine({ progress, total, message }: ToolProgress): string {
  const count = total === null ? String(progress) : `${String(progress)} of ${String(total)}`;
  return message === null ? count : `${count}: ${message}`;
}

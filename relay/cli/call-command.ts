import { TabmeshError } from '../../src/lib/errors.ts';
import type { ToolProgress } from '../../src/contracts/tools.ts';
import type { RunCommand } from './command.ts';
import { createRestClient } from './rest-client.ts';

/** `tabmesh call NAME [--json ARGS] [--place PEER] [--verbose]`: runs a tool; the answer, and nothing else, is on stdout. */
export const runCall: RunCommand = async ({ flags, room, stdout, stderr, interactive, stop }) => {
  const { words, json, place, verbose } = flags;
  const [name = ''] = words;
  const text = json === '-' ? await readStdin(stop) : json;
  const { result, route, tookMs } = await createRestClient(room).call(name, readArguments(text), {
    place,
    signal: stop,
    ...(interactive ? { onProgress: (progress) => stderr(`${progressLine(progress)}\n`) } : {}),
  });
  if (verbose) {
    const chosen = route.candidates.find((candidate) => candidate.place.peer === route.chosen.peer);
    stderr(`${String(Math.round(tookMs))} ms at ${route.chosen.name}: ${(chosen?.reasons ?? []).join(', ')}\n`);
  }
  stdout(`${JSON.stringify(result, null, 2)}\n`);
  return 0;
};

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

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerEutils } from '../../relay/demo/answer.ts';
import { loadDemoLibrary } from '../../relay/demo/library.ts';

export interface RouteAnswer {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** Answers the requests it knows; undefined leaves one to the next route. */
export type Route = (url: URL) => RouteAnswer | undefined | Promise<RouteAnswer | undefined>;

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVED = resolve(HERE, '../fixtures/pubmed/served');

/**
 * The folder of recorded PubMed answers, or undefined on a machine that does not have it: `$TABMESH_SHARED`, else
 * `../shared` beside the checkout.
 */
export function recordedPubmed(): string | undefined {
  const shared = process.env['TABMESH_SHARED'] ?? resolve(HERE, '../../../shared');
  const folder = resolve(shared, 'upstream/pubmed');
  return existsSync(folder) ? folder : undefined;
}

/** Why a test over recorded answers is skipped. */
export const NO_RECORDED = 'no recorded answers here (set TABMESH_SHARED to the folder that has upstream/pubmed)';

/** A recorded answer, e.g. `efetch/five-2026.xml`. @throws when it is not there */
export async function readRecorded(name: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(resolve(recordedPubmed() ?? '', name)));
}

/** A self-written answer of `tests/fixtures/pubmed/served`. */
export async function readServed(name: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(resolve(SERVED, name)));
}

/** The demo PubMed with its self-written records. */
export async function demoRoute(): Promise<Route> {
  const library = await loadDemoLibrary();
  return (url) => (url.pathname.startsWith('/entrez/eutils/') ? answerEutils(library, url) : undefined);
}

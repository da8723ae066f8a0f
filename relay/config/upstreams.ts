import { badOption } from './bad-option.ts';

/**
 * The research services that `/fetch` may ask, by the name that `--upstream` uses. Only these origins, only over
 * https, on the default port: the list is the first and strictest of the checks against forged requests.
 */
export const UPSTREAMS = {
  pubmed: 'https://eutils.ncbi.nlm.nih.gov',
  clinicaltrials: 'https://clinicaltrials.gov',
  uniprot: 'https://rest.uniprot.org',
  ebi: 'https://www.ebi.ac.uk',
  'pdb-data': 'https://data.rcsb.org',
  'pdb-search': 'https://search.rcsb.org',
  pubchem: 'https://pubchem.ncbi.nlm.nih.gov',
  opentargets: 'https://api.platform.opentargets.org',
} as const;

export type UpstreamName = keyof typeof UPSTREAMS;
export const UPSTREAM_NAMES = Object.keys(UPSTREAMS) as UpstreamName[];

/** Canonical origin → base URL (no slash at the end) that serves it instead. */
export type UpstreamOverrides = ReadonlyMap<string, string>;

/**
 * Reads `--upstream NAME=URL` values.
 * @throws `invalid_input` for an unknown name, a name given twice, or a URL that is not plain http(s)
 */
export function parseUpstreams(values: readonly string[]): UpstreamOverrides {
  const overrides = new Map<string, string>();
  for (const value of values) {
    const at = value.indexOf('=');
    const name = value.slice(0, Math.max(at, 0));
    if (!isUpstreamName(name)) {
      throw badOption('upstream', value, `NAME=URL with one of the names ${UPSTREAM_NAMES.join(', ')}`);
    }
    const origin = UPSTREAMS[name];
    if (overrides.has(origin)) throw badOption('upstream', value, `each service once; ${name} is there twice`);
    overrides.set(origin, parseBase(value, value.slice(at + 1)));
  }
  return overrides;
}

function isUpstreamName(name: string): name is UpstreamName {
  return Object.hasOwn(UPSTREAMS, name);
}

function parseBase(option: string, text: string): string {
  const url = URL.parse(text);
  const plain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || !['http:', 'https:'].includes(url.protocol)) {
    throw badOption('upstream', option, 'an http or https URL without user, query or fragment');
  }
  return url.href.replace(/\/+$/, '');
}

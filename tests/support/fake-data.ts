import type { RecordEntry } from '../../src/contracts/dataset.ts';
import type { MeshPeer } from '../../src/contracts/mesh.ts';
import type { RoomDataset } from '../../src/contracts/ports.ts';
import type { LiteratureRecord } from '../../src/contracts/records.ts';
import type { CidString, DeviceId, PeerId } from '../../src/lib/ids.ts';

/** Invented data for the preview and component tests: no title, name or id here belongs to anybody. */

const BIRDS = ['Heron', 'Wren', 'Plover', 'Kestrel', 'Avocet', 'Siskin', 'Dunlin', 'Osprey'];
const COLOURS = ['Amber', 'Slate', 'Ivory', 'Copper', 'Violet', 'Umber', 'Olive', 'Coral'];
const TOPICS = [
  'Sleep restriction and insulin sensitivity in adults with prediabetes',
  'β-blockers after myocardial infarction: a registry-based cohort of 48,211 patients',
  'Gut microbiome composition and depressive symptoms: a systematic review and meta-analysis',
  'Time-restricted eating and glycaemic control: a randomised crossover trial',
  'Machine-read abstracts as a source for living systematic reviews',
  'Home spirometry in children with asthma: feasibility and agreement with clinic measurements',
  'Long-term effects of early peanut introduction: ten-year follow-up',
  'Heat exposure, night shifts and kidney function in agricultural workers',
];
const RTL_TITLE = 'أثر النوم القصير على حساسية الإنسولين لدى البالغين: تجربة عشوائية مضبوطة';
const LONG_TITLE =
  'Pharmacokinetic–pharmacodynamic modelling of hydroxyphenylethylaminoethanol-1-(2-methoxyphenoxy)-propan-2-ol in patients with end-stage kidney disease undergoing three-weekly haemodialysis: a multicentre, open-label, dose-escalation study with Bayesian interim analyses';
const NAMES = ['Ines Albrecht', 'Tomáš Novotný', 'Aiko Morita', 'Grace Oduya', 'Pádraig Ó Briain', 'Lena Østergaard'];
const DAY = 86_400_000;

function pick<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new RangeError('empty list');
  return found;
}

/** A text that looks like a CID and is the same for the same number. */
export function fakeCid(n: number): CidString {
  return `bafyrei${(n + 1).toString(36).padStart(4, 'q')}${'x7k2mq5d'.repeat(6)}`.slice(0, 59) as CidString;
}

export function fakePeerId(n: number): PeerId {
  return `12D3KooW${(n * 7919 + 12345).toString(36).padStart(8, 'R')}${'vQ8nZbT4'.repeat(5)}`.slice(0, 52) as PeerId;
}

export function fakePeers(count: number, extreme: boolean, tools: readonly string[]): MeshPeer[] {
  return Array.from({ length: count }, (_, n) => {
    const suffix = (n * 48_271 + 7_919_111).toString(36).slice(-6);
    const bird = `${pick(COLOURS, n * 3 + 1)} ${pick(BIRDS, n)}`;
    const long =
      extreme && n % 9 === 4 ? 'Department of Experimental Pharmacology, third-floor laptop'.padEnd(60, '!') : null;
    const relay = n === 1;
    return {
      peer: fakePeerId(n),
      device: `${fakePeerId(n)}d` as unknown as DeviceId,
      name: relay ? 'relay.example.org' : (long ?? `${bird} · ${suffix}`),
      kind: relay ? 'relay' : 'tab',
      link: n === 0 ? 'self' : extreme && n % 7 === 5 ? 'relayed' : n % 11 === 10 ? 'connecting' : 'direct',
      latencyMs: n === 0 || n % 11 === 10 ? null : extreme && n % 7 === 5 ? 84.2 + n : 0.74 + n * 1.3,
      visible: n % 4 !== 3,
      tools: relay ? [...tools, 'fetch_page'] : tools,
      shardRecords: extreme ? 12_345_678 - n * 1000 : n % 4 === 2 ? 0 : 400 * n + 212,
      served: n === 0 ? { search_shard: 41, echo: 3 } : { search_shard: n * 12 },
      load: n % 5 === 4 ? null : Math.min(1, ((n * 17) % 100) / 100),
      battery: relay || n % 3 !== 0 ? null : { level: 0.2 + (n % 7) / 10, charging: n % 2 === 0 },
      links: Array.from({ length: count }, (_other, m) => m)
        .filter((m) => m !== n && (m + n) % 11 !== 10)
        .slice(0, 12)
        .map((m) => ({ peer: fakePeerId(m), direct: (m + n) % 7 !== 5, latencyMs: 1 + ((m * n) % 40) })),
      since: Date.now() - n * 421_000 - 60_000,
    };
  });
}

export function fakeRecord(n: number, extreme: boolean): RecordEntry {
  const title = extreme && n % 5 === 1 ? RTL_TITLE : extreme && n % 5 === 3 ? LONG_TITLE : pick(TOPICS, n);
  const record: LiteratureRecord = {
    id: `pubmed:${String(90_000_000 + n)}`,
    source: 'pubmed',
    kind: n % 17 === 16 ? 'book' : 'article',
    title,
    vernacularTitle: n % 13 === 5 ? 'Titel in der Originalsprache' : null,
    abstract:
      n % 10 === 9
        ? []
        : [
            { label: 'BACKGROUND', text: 'Short sleep is common, and its effect on glucose metabolism is debated.' },
            {
              label: 'METHODS',
              text: 'In a randomised crossover design, 64 adults slept 4.5 h or 8 h a night over two weeks. Insulin sensitivity was measured by clamp.',
            },
            { label: 'RESULTS', text: 'Insulin sensitivity fell by 18 % (95 % CI 11 to 25) after short sleep.' },
          ],
    authors: Array.from({ length: 1 + ((n * 5) % 9) }, (_, a) => ({
      name: a === 8 ? 'The SLEEP-2 Study Group' : pick(NAMES, n + a),
      collective: a === 8,
      orcid: a === 0 ? '0000-0002-1825-0097' : null,
    })),
    venue: 'Journal of Invented Metabolism',
    venueAbbreviation: 'J Invent Metab',
    volume: String(12 + (n % 20)),
    issue: '4',
    pages: '211-24',
    date: { year: 2024 - (n % 12), month: 3, day: null, text: null },
    doi: `10.5555/jim.${String(n)}`,
    pmcid: null,
    url: `https://pubmed.ncbi.nlm.nih.gov/${String(90_000_000 + n)}/`,
    languages: ['eng'],
    publicationTypes: ['Journal Article', 'Randomized Controlled Trial'],
    meshTerms: ['Sleep Deprivation', 'Insulin Resistance', 'Adult'],
    keywords: ['sleep', 'insulin'],
    trials: n % 3 === 0 ? ['NCT00000000'] : [],
    notices: n % 19 === 7 ? [{ type: 'RetractionIn', pmid: '90000001' }] : [],
    retracted: n % 19 === 7,
  };
  return { cid: fakeCid(10_000 + n), record };
}

export function fakeDatasets(
  count: number,
  extreme: boolean,
  peers: readonly MeshPeer[],
  offline: boolean,
): RoomDataset[] {
  const queries = [
    'sleep AND insulin resistance',
    '"gut microbiome"[ti] AND depression',
    'beta blockers[mh] AND registry',
  ];
  return Array.from({ length: count }, (_, n) => ({
    data: fakeCid(n),
    manifest: fakeCid(5000 + n),
    name: extreme && n % 3 === 1 ? RTL_TITLE.slice(0, 60) : pick(queries, n),
    count: extreme ? 12_345_678 + n : 200 * (n + 1) + 7,
    bytes: extreme ? 48_123_456_789 : 1_240_000 * (n + 1),
    query: pick(queries, n),
    source: 'pubmed',
    createdAt: new Date(Date.now() - n * 1.7 * DAY - 3_600_000).toISOString(),
    complete: n % 4 !== 3,
    holders: peers
      .filter((peer, p) => (p + n) % 3 === 0 || (n === 1 ? p === 2 : peer.link === 'self'))
      .slice(0, 6)
      .map((peer) => ({
        device: peer.device,
        name: peer.name,
        online: !offline || peer.link === 'self',
        self: peer.link === 'self',
      })),
  }));
}

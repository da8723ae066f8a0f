import type { Outcome, PeerQuery, PeerRecord, PeerRegistry } from '../../contracts/discovery.ts';
import type { Clock } from '../../lib/clock.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import type { GithubIssue, GithubIssues } from './github-api.ts';
import { attempt, done } from './outcome.ts';
import { isExpired, recordFromPlain } from './record.ts';
import { selectRecords } from './record-book.ts';
import type { RecordSeal } from './seal.ts';

const LABELS = {
  registry: 'peer-registry',
  active: 'peer-active',
  inactive: 'peer-inactive',
  room: (name: string) => `room-${name}`,
  capability: (name: string) => `capability-${name}`,
} as const;

/** GitHub takes 100 labels an issue; a peer that offers more is found by these capabilities only. */
const MAX_CAPABILITY_LABELS = 90;

export interface GithubRegistryOptions {
  /** null without a token: the registry is then not available */
  readonly issues: GithubIssues | null;
  /**
   * Issues can be read by everybody who sees the repository. So that a room does not leak, the body is sealed under a key
   * derived from the room's secret, and peer ids and capabilities stand in title and labels only as names that the same key
   * makes of them. Off by default: even so, GitHub and its readers learn that a room has peers, and when they come and go.
   */
  readonly seal: RecordSeal;
  readonly clock: Clock;
}

interface Found {
  readonly issue: GithubIssue;
  readonly record: PeerRecord;
}

/** A registry in the issues of a GitHub repository: one issue a peer. */
export class GithubRegistry implements PeerRegistry {
  readonly name = 'github';
  readonly #options: GithubRegistryOptions;
  /** numbers of issues seen, so that a heartbeat needs no search */
  readonly #numbers = new Map<PeerId, number>();

  constructor(options: GithubRegistryOptions) {
    this.#options = options;
  }

  available(): boolean {
    return this.#options.issues !== null;
  }

  async register(record: PeerRecord, signal: AbortSignal): Promise<Outcome<boolean>> {
    const { issues } = this.#options;
    if (issues === null) return done(false);
    return attempt(false, async () => {
      const known = await this.#find(issues, record.peer, signal);
      const firstSeen = Math.min(known?.record?.firstSeen ?? record.firstSeen, record.firstSeen);
      const fields = await this.#toIssue({ ...record, firstSeen });
      if (known !== undefined) await issues.change(known.issue.number, { ...fields, state: 'open' }, signal);
      else this.#numbers.set(record.peer, await issues.create(fields, signal));
      return true;
    });
  }

  async discover(query: PeerQuery, signal: AbortSignal): Promise<Outcome<readonly PeerRecord[]>> {
    const { issues, seal, clock } = this.#options;
    if (issues === null) return done([]);
    return attempt<readonly PeerRecord[]>([], async () => {
      const wanted = query.capabilities.map((capability) => LABELS.capability(seal.name(capability)));
      const listed = await issues.list([LABELS.registry, LABELS.active, this.#room, ...wanted], 'open', signal);
      const found = await this.#read(listed);
      return selectRecords(
        found.map(({ record }) => record),
        query,
        clock.now(),
      );
    });
  }

  async update(peer: PeerId, signal: AbortSignal): Promise<Outcome<boolean>> {
    const { issues, clock } = this.#options;
    if (issues === null) return done(false);
    return attempt(false, async () => {
      const known = await this.#find(issues, peer, signal);
      if (known === undefined || known.record === null) return false;
      const { title, body } = await this.#toIssue({ ...known.record, lastSeen: clock.now() });
      await issues.change(known.issue.number, { title, body }, signal);
      return true;
    });
  }

  async cleanup(signal: AbortSignal): Promise<Outcome<number>> {
    const { issues, clock } = this.#options;
    if (issues === null) return done(0);
    return attempt(0, async () => {
      const listed = await issues.list([LABELS.registry, LABELS.active, this.#room], 'open', signal);
      const expired = (await this.#read(listed)).filter(({ record }) => isExpired(record, clock.now()));
      // one after the other: GitHub's secondary limit counts simultaneous writes
      for (const { issue } of expired) {
        const labels = [...issue.labels.filter((label) => label !== LABELS.active), LABELS.inactive];
        await issues.change(issue.number, { labels, state: 'closed' }, signal);
      }
      return expired.length;
    });
  }

  /** changes with the room's secret */
  get #room(): string {
    return LABELS.room(this.#options.seal.name('room'));
  }

  #title(peer: PeerId): string {
    return `Peer: ${this.#options.seal.name(peer)}`;
  }

  async #toIssue(record: PeerRecord): Promise<{ title: string; body: string; labels: string[] }> {
    const { seal } = this.#options;
    const title = this.#title(record.peer);
    const capabilities = [...record.capabilities].sort().slice(0, MAX_CAPABILITY_LABELS);
    return {
      title,
      body: await seal.seal(JSON.stringify(bodyOf(record)), title),
      labels: [
        LABELS.registry,
        LABELS.active,
        this.#room,
        ...capabilities.map((capability) => LABELS.capability(seal.name(capability))),
      ],
    };
  }

  /** The peer's issue, open or closed; its record is null when it cannot be read. */
  async #find(
    issues: GithubIssues,
    peer: PeerId,
    signal: AbortSignal,
  ): Promise<{ readonly issue: GithubIssue; readonly record: PeerRecord | null } | undefined> {
    const title = this.#title(peer);
    const listed = await issues.list([LABELS.registry, this.#room], 'all', signal);
    const number = this.#numbers.get(peer);
    const issue = listed.find((candidate) => candidate.number === number) ?? listed.find((i) => i.title === title);
    if (issue === undefined) {
      // GitHub lists a new issue with some delay: a second one for the same peer would stay
      return number === undefined ? undefined : { issue: { number, title, body: '', labels: [] }, record: null };
    }
    this.#numbers.set(peer, issue.number);
    return { issue, record: (await this.#read([issue]))[0]?.record ?? null };
  }

  /** The issues that a member of this room wrote; anybody may have written others. */
  async #read(listed: readonly GithubIssue[]): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (const issue of listed) {
      try {
        const text = await this.#options.seal.open(issue.body, issue.title);
        const record = recordOf(JSON.parse(text));
        if (this.#title(record.peer) === issue.title) found.push({ issue, record });
      } catch {
        // of another epoch, or by somebody else: not for us
      }
    }
    return found;
  }
}

/** What is sealed: the registry's documented fields, with all addresses, and when the peer was last seen. */
function bodyOf(record: PeerRecord) {
  return {
    peer_id: record.peer,
    multiaddr: record.multiaddrs[0],
    multiaddrs: record.multiaddrs,
    capabilities: record.capabilities,
    registered_at: new Date(record.firstSeen).toISOString(),
    last_seen: new Date(record.lastSeen).toISOString(),
    ttl_seconds: record.ttlSeconds,
    metadata: record.metadata,
  };
}

function recordOf(value: unknown): PeerRecord {
  if (!isPlainMap(value)) throw new TabmeshError('corrupt', 'not a peer record');
  const { multiaddr: _, registered_at, last_seen, ...same } = value;
  const seconds = (text: unknown) => Date.parse(String(text)) / 1000;
  return recordFromPlain({
    ...same,
    first_seen: seconds(registered_at),
    last_seen: seconds(last_seen),
    source: 'github',
  });
}

import type { BootstrapMethod } from '../../src/contracts/bootstrap.ts';
import type { PeerSource } from '../../src/contracts/discovery.ts';
import type { CountsOf, PeerFinding } from '../../src/contracts/peer-finding.ts';
import type { Scenario } from './scenarios.ts';

const MINUTE = 60_000;

function counts<Name extends PeerSource | BootstrapMethod>(
  name: Name,
  [total, failed]: readonly [number, number],
  averageDurationMs: number,
  trouble: string | null = null,
): CountsOf<Name> {
  const successful = total - failed;
  const successRate = total === 0 ? 0 : Math.round((10_000 * successful) / total) / 100;
  return { name, total, successful, failed, successRate, averageDurationMs, last: Date.now() - MINUTE, trouble };
}

/** How peers of the preview were found. */
export function findingOf(scenario: Scenario): PeerFinding {
  const nothing = { total: 0, successful: 0, failed: 0, successRate: 0, averageDurationMs: 0, last: null };
  const none: PeerFinding = {
    discovery: { ...nothing, bySource: {} },
    bootstrap: { ...nothing, byMethod: {} },
    sources: [],
    methods: [],
    tries: [],
    outside: null,
  };
  if (scenario === 'empty') return none;
  const away = scenario === 'offline';
  const bad = away || scenario === 'failing' || scenario === 'extreme';
  const many = scenario === 'extreme' ? 12_345_678 : 12;
  const refused = 'GitHub refused the token (401)';
  return {
    ...none,
    sources: [
      { ...counts('rendezvous', [many, 0], 0.21), found: many * 2 },
      { ...counts('gossip', [many, bad ? 3 : 0], 38.4), found: many },
      { ...counts('broadcast', [many, 0], 204), found: 0 },
      { ...counts('local_store', [many, 0], 1.93), found: 4 },
      ...(bad ? [{ ...counts('github', [many, many], 412, refused), found: 0 }] : []),
    ],
    methods: [
      away
        ? counts('relay', [9, 8], 6_120, 'the relay cannot be reached')
        : counts('relay', [bad ? 40 : 1, bad ? 2 : 0], 184),
      ...(bad ? [counts('custom_server', [3, 3], 10_000, 'no answer within 10 s')] : []),
    ],
    tries: Array.from({ length: bad ? 50 : 1 }, (_, n) => ({
      endedAt: Date.now() - n * MINUTE,
      method: 'relay' as const,
      target:
        n % 3 === 1
          ? '/dns4/a-relay.department.university.example.org/tcp/443/tls/ws/p2p/12D3KooWexample'
          : 'relay.example.org:443',
      durationMs: 184 + n * 91,
      error: away || n % 3 === 1 ? 'the relay cannot be reached' : null,
    })),
    outside:
      scenario === 'typical' ? null : { publicIp: '203.0.113.5', natType: bad ? 'symmetric' : 'cone', at: Date.now() },
  };
}

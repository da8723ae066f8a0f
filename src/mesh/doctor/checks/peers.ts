import type { LinkUnderTest } from '../../../contracts/doctor.ts';
import type { Check } from '../finding.ts';
import { failed, ok, skipped, warning } from '../finding.ts';
import { countOf, listed, sentence, spell, spellBytes } from '../words.ts';

const isLinked = ({ peer }: LinkUnderTest) => peer.link === 'direct' || peer.link === 'relayed';
const nameOf = ({ peer }: LinkUnderTest) => (peer.name === '' ? `${peer.peer.slice(0, 12)}…` : peer.name);

/** Who was introduced, and who of them has proven to be a member. */
export const checkMembers: Check = ({ probes }) => {
  const peers = probes.peers();
  const linked = peers.filter(isLinked);
  const waiting = peers.filter((one) => !isLinked(one));
  const connection = probes.connection();
  const details = {
    state: connection.state,
    proven: linked.length,
    introduced_only: waiting.map(({ peer, failure }) => ({ peer: peer.peer, failure })),
  };
  const here = `${sentence(countOf(linked.length, 'member'))} ${linked.length === 1 ? 'is' : 'are'} here and proven`;
  if (connection.state === 'refused') {
    return Promise.resolve(
      failed(
        `${sentence(connection.message)}.`,
        'If it was left off the list, ask a member for a new invite, and open it here. If it was blocked, only an owner can let it in again.',
        details,
      ),
    );
  }
  if (waiting.length > 0) {
    const why = waiting.find(({ failure }) => failure !== null)?.failure;
    return Promise.resolve(
      warning(
        `${linked.length === 0 ? 'Nobody is linked' : here}. ${sentence(countOf(waiting.length, 'peer'))} introduced by the relay ${waiting.length === 1 ? 'has' : 'have'} not proven to be a member${why === undefined ? '' : ` (${why})`}.`,
        'A peer that has just come needs some seconds. If it stays so, its tab is frozen, its network keeps it from answering, or it has another secret of the room.',
        details,
      ),
    );
  }
  if (linked.length > 0) return Promise.resolve(ok(`${here}.`, details));
  if (connection.state === 'alone') {
    return Promise.resolve(
      ok('Nobody else of this room is here now.', details, 'Open its invite on another device or send it to somebody.'),
    );
  }
  return Promise.resolve(
    failed('No member is linked, and no relay introduces any.', 'See what is said of the relay.', details),
  );
};

/** How each member is linked, how fast, and why not directly. */
export const checkPeerLinks: Check = ({ probes }) => {
  const linked = probes.peers().filter(isLinked);
  if (linked.length === 0) return Promise.resolve(skipped('No member is linked.'));
  const details = {
    links: linked.map(({ peer, failure, outbound }) => ({
      peer: peer.peer,
      name: peer.name,
      kind: peer.kind,
      link: peer.link,
      latency_ms: peer.latencyMs === null ? null : Math.round(peer.latencyMs * 10) / 10,
      visible: peer.visible,
      made_by: outbound === null ? null : outbound ? 'this peer' : 'the other',
      why_not_direct: peer.link === 'direct' ? null : failure,
    })),
  };
  const relayed = linked.filter(({ peer }) => peer.link === 'relayed');
  const slowest = Math.max(...linked.map(({ peer }) => peer.latencyMs ?? 0));
  if (relayed.length === 0) {
    const speed = slowest === 0 ? '' : `; the slowest answers in ${spell(slowest)}`;
    return Promise.resolve(ok(`${sentence(countOf(linked.length, 'link'))}, all direct${speed}.`, details));
  }
  return Promise.resolve(
    warning(
      `${String(relayed.length)} of ${countOf(linked.length, 'link')} ${relayed.length === 1 ? 'goes' : 'go'} through a relay: ${listed(relayed.map(whyRelayed), 2)}.`,
      'It works, slower and within the relay’s limits. A STUN server (Settings) helps most home networks; strict ones need TURN.',
      details,
    ),
  );
};

function whyRelayed(link: LinkUnderTest): string {
  const name = nameOf(link);
  if (link.failure !== null) return `${name} (${link.failure})`;
  return link.outbound === true
    ? `${name} (no direct way was needed or tried yet)`
    : `${name} (the other side made the link and looks for a direct way)`;
}

/** Below these a transfer of ordinary size does not go through any more. */
const FEW_BYTES = 16_000_000;
const FEW_SECONDS = 60;

/** What the relay still allows the links that it carries. */
export const checkRelayedLimits: Check = ({ probes }) => {
  const relayed = probes.peers().filter(({ peer }) => peer.link === 'relayed');
  if (relayed.length === 0) return Promise.resolve(skipped('No link goes through a relay.'));
  const details = {
    links: relayed.map(({ peer, limits }) => ({
      peer: peer.peer,
      name: peer.name,
      bytes_left: limits?.bytes ?? null,
      seconds_left: limits?.seconds ?? null,
    })),
  };
  const limited = relayed.flatMap((link) => (link.limits === null ? [] : [{ link, limits: link.limits }]));
  if (limited.length === 0) return Promise.resolve(ok('The relay sets no limit to these links.', details));
  const words = limited.map(({ link, limits: { bytes, seconds } }) => {
    const left = [
      bytes === null ? [] : [spellBytes(bytes)],
      seconds === null ? [] : [spell(Math.max(0, seconds) * 1000)],
    ].flat();
    return `${nameOf(link)}: ${left.length === 0 ? 'no limit' : left.join(' and ')} left`;
  });
  const scarce = limited.some(
    ({ limits: { bytes, seconds } }) =>
      (bytes !== null && bytes < FEW_BYTES) || (seconds !== null && seconds < FEW_SECONDS),
  );
  const reason = `${listed(words)}.`;
  return Promise.resolve(
    scarce
      ? warning(
          reason,
          'The link is made anew when they run out; a large transfer may break. Ask whoever runs the relay for more.',
          details,
        )
      : ok(reason, details),
  );
};

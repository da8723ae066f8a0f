import type { IceCandidate } from '../../../contracts/bootstrap.ts';
import type { IceServer } from '../../../contracts/relay.ts';
import { startDeadline } from '../../../lib/deadline.ts';
import { toTabmeshError } from '../../../lib/errors.ts';
import { mapBounded } from '../../../lib/semaphore.ts';
import type { Check, Examination } from '../finding.ts';
import { failed, isNotApplicable, ok, skipped, warning } from '../finding.ts';
import { countOf, listed, sentence } from '../words.ts';

/** Browsers warn of five and more; each costs a gathering of its own here. */
const MAX_SERVERS = 4;
/** A STUN server answers in a round trip; a lost packet is sent again within a second or two. */
const SERVER_TIMEOUT_MS = 5_000;

interface ServerAnswer {
  readonly server: string;
  readonly candidates: readonly IceCandidate[];
  /** null: it answered */
  readonly error: string | null;
}

/** Which addresses WebRTC has to offer, and which STUN and TURN servers answered. */
export const checkIceCandidates: Check = async (examination, signal) => {
  const { probes } = examination;
  const own = await probes.ice([], signal);
  if (isNotApplicable(own)) return skipped(own.skip);
  // one by one: a gathering tells how many have answered, not which
  const servers = await mapBounded(
    probes
      .iceServers()
      .flatMap(({ urls, ...rest }) => urls.map((url): IceServer => ({ ...rest, urls: [url] })))
      .slice(0, MAX_SERVERS),
    MAX_SERVERS,
    (server, _index, inner) => ask(examination, server, inner),
    signal,
  );
  const hosts = own.candidates.filter(({ type }) => type === 'host');
  const beyond = servers.flatMap(({ candidates }) => candidates.filter(({ type }) => type !== 'host'));
  const number = (type: IceCandidate['type']) => beyond.filter((one) => one.type === type).length;
  const details = {
    host: hosts.length,
    host_hidden_by_mdns: hosts.filter(({ address }) => address.endsWith('.local')).length,
    server_reflexive: number('srflx'),
    relay: number('relay'),
    servers: servers.map(({ server, error }) => ({ server, answered: error === null, error })),
  };
  const silent = servers.filter(({ error }) => error !== null);
  if (hosts.length === 0 && beyond.length === 0) {
    return failed(
      'WebRTC offers no address at all: there can be no direct link.',
      'A browser extension or policy keeps WebRTC from the network. Allow it for this site; links go through the relay meanwhile.',
      details,
    );
  }
  const kinds = [
    `${countOf(hosts.length, 'address', 'addresses')} of the local network`,
    ...(number('srflx') > 0 ? ['the public address'] : []),
    ...(number('relay') > 0 ? ['a TURN relay'] : []),
  ];
  const found = `${sentence(listed(kinds))} to offer.`;
  if (silent.length > 0) {
    return warning(
      `${found} ${listed(silent.map(({ server }) => server))} did not answer.`,
      'See whether the server in Settings is right and this network lets UDP through.',
      details,
    );
  }
  if (servers.length === 0) {
    return ok(
      `${found} No STUN server is set: peers in other networks are reached through the relay.`,
      details,
      'Set a STUN server in Settings for direct links beyond this network. It learns your address.',
    );
  }
  return ok(found, details);
};

async function ask({ probes, clock }: Examination, asked: IceServer, signal: AbortSignal): Promise<ServerAnswer> {
  const server = asked.urls.join(' ').split('?')[0] ?? '';
  const deadline = startDeadline({ clock, ms: SERVER_TIMEOUT_MS, what: 'the server', signal });
  try {
    const answer = await deadline.race(probes.ice([asked], deadline.signal));
    if (isNotApplicable(answer)) return { server, candidates: [], error: answer.skip };
    return { server, candidates: answer.candidates, error: answer.answered > 0 ? null : 'no answer' };
  } catch (thrown) {
    return { server, candidates: [], error: toTabmeshError(deadline.reason() ?? thrown).message };
  } finally {
    deadline.dispose();
  }
}

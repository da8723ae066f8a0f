import type { LinkUnderTest, RelayUnderTest } from '../../../contracts/doctor.ts';
import type { Json } from '../../../contracts/workflow.ts';
import { startDeadline } from '../../../lib/deadline.ts';
import type { Check, Finding } from '../finding.ts';
import { failed, isNotApplicable, ok, skipped, warning } from '../finding.ts';
import type { Asked } from '../relay-answers.ts';
import { askRelays, hostOf } from '../relay-answers.ts';
import { countOf, listed, spell } from '../words.ts';

const RESTART =
  'See whether the relay runs, and whether this device reaches its address: another network, VPN or firewall may be in the way.';
const NO_RELAY = failed(
  'This room knows no relay: nobody introduces its peers to each other.',
  'Open an invite of the room that names a relay.',
);

/** `GET /health` of each relay. */
export const checkRelayHttp: Check = async ({ relays }) => {
  const asked = await relays();
  return judge(asked, ({ host, tookMs }) => ({
    words: `${host} answered in ${spell(tookMs)}`,
    details: { host, took_ms: Math.round(tookMs) },
  }));
};

/** One connection attempt of libp2p, and a ping. */
const SOCKET_TIMEOUT_MS = 8_000;

/** libp2p's connection to each relay, and whether it is alive. */
export const checkRelaySocket: Check = async ({ probes, clock }, signal) => {
  const asked = await askRelays(probes.relays(), (relay, inner) => probes.reachRelay(relay, inner), {
    clock,
    ms: SOCKET_TIMEOUT_MS,
    signal,
  });
  const finding = judge(asked, ({ host, pingMs }, relay) => ({
    words: `${host ?? hostOf(relay)} answered a ping in ${spell(pingMs)}`,
    details: { host: host ?? hostOf(relay), ping_ms: Math.round(pingMs), state: relay.state },
  }));
  const waiting = asked.filter((one) => 'answer' in one && one.relay.state !== 'joined');
  if (finding.status !== 'ok' || waiting.length === 0) return finding;
  return warning(
    `${finding.reason} But this peer is not listed there yet, so nobody is introduced to it.`,
    'It tries again by itself within 15 s. If it stays so, the relay refuses it: look at the relay’s log.',
    finding.details,
  );
};

/** Told in words what came of asking the relays: all, some or none of them well. */
function judge<T extends object>(
  asked: readonly Asked<T>[],
  tell: (answer: T, relay: RelayUnderTest) => { readonly words: string; readonly details: Record<string, Json> },
): Finding {
  if (asked.length === 0) return NO_RELAY;
  const good: string[] = [];
  const bad: string[] = [];
  const skips: string[] = [];
  const relays: Json[] = [];
  for (const one of asked) {
    const { peer } = one.relay;
    if ('error' in one) {
      bad.push(`${hostOf(one.relay)} does not answer (${one.error})`);
      relays.push({ peer, host: hostOf(one.relay), error: one.error });
    } else if (isNotApplicable(one.answer)) {
      skips.push(one.answer.skip);
    } else {
      const { words, details } = tell(one.answer, one.relay);
      good.push(words);
      relays.push({ peer, ...details });
    }
  }
  if (bad.length === 0 && good.length === 0) return skipped(skips[0] ?? '');
  if (bad.length === 0) return ok(`${listed(good)}.`, { relays });
  if (good.length === 0) return failed(`${listed(bad)}.`, RESTART, { relays });
  return warning(`${listed(bad)}; ${listed(good)}.`, RESTART, { relays });
}

/** A reservation follows the connection within a second. */
const RESERVATION_WAIT_MS = 3_000;
const RESERVATION_POLL_MS = 200;
/** It is renewed five minutes before it ends; so late, the renewals have failed. */
const RESERVATION_ENDING_MS = 60_000;

/** Whether a relay keeps a place for this peer: without one nobody can call it, not even to agree on a direct link. */
export const checkRelayReservation: Check = async ({ probes, clock }, signal) => {
  if (probes.relays().length === 0) return NO_RELAY;
  const look = () =>
    probes.relays().map((relay) => ({ host: hostOf(relay), peer: relay.peer, held: probes.reservation(relay) }));
  const until = clock.now() + RESERVATION_WAIT_MS;
  let places = look();
  while (places.every(({ held }) => held === null) && clock.now() < until) {
    await clock.sleep(RESERVATION_POLL_MS, signal);
    places = look();
  }
  const none = places.find(({ held }) => isNotApplicable(held))?.held;
  if (isNotApplicable(none)) return skipped(none.skip);
  const held = places.flatMap((place) =>
    place.held === null || isNotApplicable(place.held) ? [] : [{ ...place, expiresAt: place.held.expiresAt }],
  );
  const details = {
    reservations: places.map(({ peer, host }) => ({
      peer,
      host,
      expires_at: held.find((place) => place.peer === peer)?.expiresAt ?? null,
    })),
  };
  const longest = held.toSorted((a, b) => b.expiresAt - a.expiresAt)[0];
  if (longest === undefined) {
    return failed(
      'No relay keeps a place for this peer: others cannot call it.',
      'If the relay answers, it is full, or it wants an access key. Ask whoever runs it, or open a newer invite.',
      details,
    );
  }
  const left = longest.expiresAt - clock.now();
  if (left < RESERVATION_ENDING_MS) {
    return warning(
      `The place at ${longest.host} ends in ${spell(Math.max(0, left))} and was not renewed.`,
      'It is asked for again by itself. If it is refused, the relay is full or wants another access key.',
      details,
    );
  }
  return ok(`${longest.host} keeps a place for this peer for ${spell(left)} more.`, details);
};

/** HTTP tells the time in whole seconds (RFC 9110 §5.6.7), and the answer was some time on its way. */
const TOLERANCE_MS = 5_000;
/** Tickets of the relay live ten minutes and are renewed one before: from here on they are refused. */
const CLOCK_WARNING_MS = 30_000;
const CLOCK_FAILED_MS = 5 * 60_000;
/** Enough to tell whose clock is wrong. */
const MAX_CLOCKS = 8;
/** Smaller than a network error, larger than a busy tab. */
const CLOCK_TIMEOUT_MS = 3_000;

/** Whole milliseconds. JSON knows no −0. */
const whole = (ms: number) => Math.round(ms) || 0;

/** How far this device's clock is from that of the relays and members. */
export const checkClock: Check = async ({ probes, relays, clock }, signal) => {
  const members = probes
    .peers()
    .filter(({ peer }) => peer.link === 'direct' || peer.link === 'relayed')
    .slice(0, MAX_CLOCKS);
  const askMember = async ({ peer }: LinkUnderTest) => {
    const deadline = startDeadline({ clock, ms: CLOCK_TIMEOUT_MS, what: 'the member', signal });
    const startedAt = clock.now();
    try {
      const time = await deadline.race(probes.timeOf(peer.peer, deadline.signal));
      return [{ name: peer.name, offset: whole(time - (startedAt + clock.now()) / 2) }];
    } catch {
      // an older peer does not know the question
      return [];
    } finally {
      deadline.dispose();
    }
  };
  const [asked, told] = await Promise.all([relays(), Promise.all(members.map(askMember))]);
  const seen = [
    ...asked.flatMap((one) => {
      if ('error' in one || isNotApplicable(one.answer) || one.answer.clockOffsetMs === null) return [];
      return [{ name: one.answer.host, offset: whole(one.answer.clockOffsetMs) }];
    }),
    ...told.flat(),
  ];
  if (seen.length === 0) return skipped('Neither a relay nor a member told its time.');
  const details = { clocks: seen.map(({ name, offset }) => ({ name, offset_ms: offset })) };
  const far = seen.filter(({ offset }) => Math.abs(offset) >= CLOCK_WARNING_MS);
  const worst = seen.toSorted((a, b) => Math.abs(b.offset) - Math.abs(a.offset))[0];
  if (far.length === 0 || worst === undefined) {
    const most = Math.abs(worst?.offset ?? 0);
    return ok(
      most <= TOLERANCE_MS
        ? `This device’s clock agrees with ${countOf(seen.length, 'other')}.`
        : `This device’s clock is ${spell(most)} off, which does no harm.`,
      details,
    );
  }
  const side = worst.offset > 0 ? 'ahead of' : 'behind';
  const reason = `The clock of ${worst.name} is ${spell(worst.offset)} ${side} this device’s.`;
  // the odd one out is wrong
  const advice =
    far.length * 2 > seen.length
      ? 'Have this device set its clock by the network.'
      : `Have ${worst.name} set its clock by the network.`;
  return Math.abs(worst.offset) >= CLOCK_FAILED_MS ? failed(reason, advice, details) : warning(reason, advice, details);
};

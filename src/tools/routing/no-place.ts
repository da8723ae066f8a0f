import type { BreakerInfo } from '../../contracts/routing.ts';
import { TabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';
import { placeOf, type KnownPlace } from '../places.ts';
import type { Selection } from './select.ts';

/**
 * Why a tool that the room knows cannot be called now.
 * @param selection undefined when nobody offers it at all
 * @param pin the place that the caller asked for
 * @param breakers those of the tool that are not closed
 */
export function noPlace(
  tool: string,
  selection: Selection | undefined,
  pin: PeerId | undefined,
  places: readonly KnownPlace[],
  breakers: readonly BreakerInfo[],
): TabmeshError {
  const pinned = pin === undefined ? undefined : placeOf(places, pin);
  if (pin !== undefined && pinned === undefined) {
    const ofDevice = places.flatMap(({ place }) => (String(place.device) === String(pin) ? [place.peer] : []));
    return new TabmeshError('peer_unreachable', `the peer ${pin} is not in the room now`, {
      hint:
        ofDevice.length === 0
          ? 'Choose another place by its peer id, which list_peers names, or leave the choice to the router.'
          : `That is a device. Its peers here: ${ofDevice.join(', ')}.`,
      retryable: true,
      details: { peer: pin, sent: false },
    });
  }
  const waits = breakers.map(({ retryAfterMs }) => retryAfterMs);
  const wait = waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) };
  const excluded = (selection?.excluded() ?? []).map(({ place, reason }) => ({
    peer: place.peer,
    name: place.name,
    reason,
  }));
  if (pinned !== undefined) {
    const reason = excluded.find(({ peer }) => peer === pin)?.reason ?? 'does not offer the tool';
    return new TabmeshError('no_place', `${tool} cannot run at ${pinned.name}: ${reason}`, {
      hint: 'Choose another place, or leave the choice to the router.',
      retryable: true,
      details: { excluded, ...wait },
    });
  }
  if (waits.length > 0) {
    return new TabmeshError('no_place', `${tool} has failed several times in a row wherever it could run`, {
      hint: 'It is tried again by itself; explain_route says when, and reset_routes tries it at once.',
      retryable: true,
      details: { excluded, ...wait },
    });
  }
  return new TabmeshError('no_place', `nobody in the room offers ${tool} now`, {
    hint:
      selection?.metadata.runtime === 'relay'
        ? 'It runs on a relay: connect to one that is a member of the room.'
        : 'Open Tabmesh in a tab that has joined this room, then call again.',
    retryable: true,
    details: { excluded, ...wait },
  });
}

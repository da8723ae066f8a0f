import type { KnownPlace, Offer, Offers } from '../places.ts';
import { scorePlace, type ScoreInput } from './score.ts';

/** An offer with the part of its score that stays the same until something changes in the room. */
export interface RankedOffer {
  readonly offer: Offer;
  readonly input: ScoreInput;
  readonly score: number;
}

const ranked = new WeakMap<Offers, readonly RankedOffer[]>();

/** The offers of a tool, best first and equals by peer id, scored once for each change of the room and not for each call. */
export function rankOffers(offers: Offers): readonly RankedOffer[] {
  const before = ranked.get(offers);
  if (before !== undefined) return before;
  const made = offers.all.map((offer) => {
    const input = inputOf(offers, offer.place);
    return { offer, input, score: scorePlace(input) };
  });
  // offers come by peer id, and sorting keeps the order of equals
  made.sort((a, b) => b.score - a.score);
  ranked.set(offers, made);
  return made;
}

function inputOf({ metadata, runtime }: Offers, known: KnownPlace): ScoreInput {
  const { relay, direct, latencyMs, visible, load, battery } = known;
  const { cpuIntensive, memoryIntensive, ioIntensive } = metadata;
  return {
    ...{ runtime, cpuIntensive, memoryIntensive, ioIntensive },
    ...{ self: known.place.kind === 'self', relay, direct, latencyMs, visible, load, battery },
    ...{ holdsData: false, slowdown: 1, full: false, inFlight: 0 },
  };
}

import type { RoomSearchResult } from '../../contracts/search.ts';
import { plural } from '../ui/format.ts';

type Answer = Pick<RoomSearchResult, 'hits' | 'total' | 'devices' | 'missing' | 'tookMs'>;

/**
 * How the room answered, in one sentence for people and screen readers:
 * "1,204 matches from 3 of 5 devices in 84 ms".
 */
export function answerSentence(answer: Answer): string {
  const asked = answer.devices.length;
  const answered = answer.devices.filter((device) => device.status === 'answered').length;
  const from = answered === asked ? plural(asked, 'device') : `${answered} of ${plural(asked, 'device')}`;
  return `${plural(answer.total, 'match', 'matches')} from ${from} in ${Math.round(answer.tookMs).toLocaleString('en')} ms`;
}

/** Datasets that could not be searched and who would have to come back for them, one line each. */
export function missingLines(answer: Pick<Answer, 'missing'>): readonly string[] {
  return answer.missing.map(({ name, heldBy }) =>
    heldBy.length === 0 ? `${name}: no device of the room holds it` : `${name}: held by ${list(heldBy)}`,
  );
}

/**
 * What an incomplete answer lacks, in one sentence; null when every dataset of the room was searched and nobody failed.
 */
export function incompleteSentence(answer: Pick<Answer, 'devices' | 'missing'>): string | null {
  const failed = answer.devices.filter((device) => device.status === 'failed').length;
  const lost = answer.missing.length;
  if (lost > 0) return `${plural(lost, 'dataset')} of this room could not be searched, so matches may be missing.`;
  if (failed > 0) {
    return `${plural(failed, 'device')} failed to answer; the datasets they hold were searched on other devices.`;
  }
  return null;
}

function list(names: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names);
}

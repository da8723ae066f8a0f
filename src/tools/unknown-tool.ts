import { TabmeshError } from '../lib/errors.ts';

/** Longer names are cut before they are compared or shown: no tool name is longer. */
const MAX_NAME = 64;
const MAX_SUGGESTIONS = 3;
/** One slip in three characters is still a slip; more is another word. */
const CHARS_PER_SLIP = 3;

/**
 * The refusal of a tool name that nobody knows.
 * @param known every tool name of the room, for "did you mean"
 */
export function unknownTool(name: string, known: readonly string[]): TabmeshError {
  const shown = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  const suggestions = nearestNames(name, known);
  return new TabmeshError('unknown_tool', `there is no tool named "${shown}" in this room`, {
    hint:
      suggestions.length > 0
        ? `Did you mean ${suggestions.join(' or ')}?`
        : known.length > 0
          ? `The tools are: ${[...known].sort().join(', ')}.`
          : 'Nobody in the room offers a tool now.',
    details: { suggestions },
  });
}

/** The names nearest to `name`, best first: those that contain it or differ by few letters. */
function nearestNames(name: string, known: readonly string[]): string[] {
  const wanted = name.slice(0, MAX_NAME).toLowerCase();
  if (wanted === '') return [];
  const slips = Math.max(1, Math.floor(wanted.length / CHARS_PER_SLIP));
  return known
    .map((candidate) => ({ candidate, distance: contains(candidate, wanted) ? 0 : editDistance(candidate, wanted) }))
    .filter(({ distance }) => distance <= slips)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ candidate }) => candidate);
}

function contains(candidate: string, wanted: string): boolean {
  return wanted.length >= CHARS_PER_SLIP && candidate.includes(wanted);
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

import { formatCount } from '../ui/format.ts';
import type { Field } from './schema-field.ts';

/** What a person should know before filling a field: its description, its bounds, what is assumed when it is empty. */
export function fieldHint(field: Field): string | undefined {
  const parts = [field.description, bounds(field), fallback(field)].filter((part) => part !== null);
  return parts.length === 0 ? undefined : parts.map(sentence).join(' ');
}

function bounds({ kind }: Field): string | null {
  switch (kind.type) {
    case 'number': {
      const noun = kind.integer ? 'A whole number' : 'A number';
      if (kind.minimum !== null && kind.maximum !== null) {
        return `${noun} from ${formatNumber(kind.minimum)} to ${formatNumber(kind.maximum)}`;
      }
      if (kind.minimum !== null) return `${noun}, at least ${formatNumber(kind.minimum)}`;
      return kind.maximum === null ? null : `${noun}, at most ${formatNumber(kind.maximum)}`;
    }
    case 'json':
      return `JSON: ${kind.expects}`;
    case 'text':
    case 'boolean':
    case 'choice':
      return null;
  }
}

function fallback({ fallback: value, required }: Field): string | null {
  return value === undefined || value === null || required ? null : `When empty: ${JSON.stringify(value)}`;
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : String(value);
}

/** A capital at the beginning and a stop at the end, so that the parts read as sentences. */
function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

import { TabmeshError } from '../../src/lib/errors.ts';
import { environmentName, type OptionName } from './options.ts';

/** Longer values are cut: the message stays one readable line. */
const MAX_SHOWN = 80;

/**
 * The refusal of an option's value, as one line.
 * @param expected what the value should have been, e.g. "a number from 0 to 65535"
 */
export function badOption(name: OptionName, value: string, expected: string): TabmeshError {
  // an invite holds the room's secret: it must not end in a log
  const shown = name === 'room' ? 'the given text' : JSON.stringify(value.slice(0, MAX_SHOWN));
  return new TabmeshError('invalid_input', `--${name} (or ${environmentName(name)}): ${shown} is not ${expected}`);
}

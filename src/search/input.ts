import { TabmeshError } from '../lib/errors.ts';

/**
 * @param topK how many hits are wanted
 * @throws `invalid_input` unless it is a whole number from 1
 */
export function checkTopK(topK: number): void {
  if (Number.isSafeInteger(topK) && topK >= 1) return;
  throw new TabmeshError('invalid_input', `the number of hits must be a whole number from 1, not ${String(topK)}`, {
    hint: 'Ask for 10 hits, for example.',
  });
}

import { TabmeshError } from '../../../lib/errors.ts';

/** What a worker throws that was asked before its init, or for something it does not do: a mistake of ours. */
export function notReady(what: string): TabmeshError {
  return new TabmeshError('internal', `this worker cannot do "${what}"`);
}

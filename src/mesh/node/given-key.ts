import { TabmeshError } from '../../lib/errors.ts';

/** Stands in a tab for what reads a node's key from a keychain: a room's node is always given its key. @throws `internal` */
export function loadOrCreateSelfKey(): never {
  throw new TabmeshError('internal', 'a node without a key was to be started');
}

import type { LiveRoom } from '../../state/room.svelte.ts';
import { visibleText } from '../text/visible-text.ts';
import { tokenSubject, type Candidate } from './subjects.ts';

/**
 * The tokens of this device at the room's relays, as somebody whom a grant can be for. A relay that does not answer is left
 * out and named: a grant for a device needs none of them.
 */
export async function tokenCandidates(
  room: LiveRoom,
): Promise<{ readonly tokens: readonly Candidate[]; readonly silent: readonly string[] }> {
  const relays = room.client
    .peers()
    .filter(({ kind, link }) => kind === 'relay' && (link === 'direct' || link === 'relayed'));
  const lists = await Promise.allSettled(relays.map(({ peer }) => room.client.listClientTokens(peer)));
  const tokens: Candidate[] = [];
  const silent: string[] = [];
  lists.forEach((list, n) => {
    const relay = relays[n];
    if (relay === undefined) return;
    if (list.status === 'rejected') silent.push(visibleText(relay.name));
    else {
      for (const token of list.value) {
        tokens.push({
          value: tokenSubject(relay, token),
          label: `${visibleText(token.name)} (token at ${visibleText(relay.name)})`,
        });
      }
    }
  });
  return { tokens, silent };
}

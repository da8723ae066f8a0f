import { narrow } from '../state/narrow.svelte.ts';

export type PeersView = 'graph' | 'list';

const KEY = 'tabmesh.peersView';

let chosen = $state<PeersView | null>(stored());

/** How the peers are shown: as this browser chose; else by the room that there is. Reactive. */
export function peersView(): PeersView {
  return chosen ?? (narrow() ? 'list' : 'graph');
}

/** Shows the peers that way, now and at the next visits. */
export function choosePeersView(view: PeersView): void {
  chosen = view;
  try {
    localStorage.setItem(KEY, view);
  } catch (error) {
    console.warn('the choice could not be remembered', error);
  }
}

function stored(): PeersView | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'graph' || value === 'list' ? value : null;
  } catch {
    return null; // storage is blocked: the window's width decides
  }
}

import type { Action } from 'svelte/action';
import { readAddress, type Route } from './routes.ts';

/** Routing by the History API: addresses are real paths, which the relay and the service worker answer with the app. */
let current = $state.raw<Route>(readAddress(location.href).route);

/** The address now; reactive. */
export const route: Route = {
  get view() {
    return current.view;
  },
  get param() {
    return current.param;
  },
  get path() {
    return current.path;
  },
  get query() {
    return current.query;
  },
};

/**
 * Goes to an address of this app, e.g. `/data/bafy…` or `/search?q=sleep`.
 * @param options.replace takes the place of the current history entry (typing in a search box)
 */
export function navigate(to: string, options: { readonly replace?: boolean } = {}): void {
  const { address, route: next } = readAddress(to);
  if (address === location.pathname + location.search) return;
  history[options.replace ? 'replaceState' : 'pushState'](null, '', address);
  current = next;
}

/** Follows the browser's back and forward. Returns the function that stops. */
export function startRouter(): () => void {
  const onPop = () => {
    current = readAddress(location.href).route;
  };
  addEventListener('popstate', onPop);
  return () => {
    removeEventListener('popstate', onPop);
  };
}

/** Makes an `<a href>` of this app navigate without loading the page; new-tab clicks and foreign links stay as they are. */
export const link: Action<HTMLAnchorElement> = (node) => {
  const onClick = (event: MouseEvent) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!plain || event.defaultPrevented || node.target !== '' || node.hasAttribute('download')) return;
    if (node.origin !== location.origin) return;
    event.preventDefault();
    navigate(node.pathname + node.search);
  };
  node.addEventListener('click', onClick);
  return {
    destroy: () => {
      node.removeEventListener('click', onClick);
    },
  };
};

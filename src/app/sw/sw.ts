import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
  type PrecacheEntry,
} from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

/** The part of ServiceWorkerGlobalScope that is used here: its whole library would collide with the window's. */
declare const self: {
  readonly __WB_MANIFEST: (PrecacheEntry | string)[];
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(
    type: 'activate' | 'message',
    listener: (event: { readonly data?: unknown; waitUntil(work: Promise<unknown>): void }) => void,
  ): void;
};

/** What the relay answers itself: never the app's page. */
const RELAY_PATHS = /^\/(?:api|docs|mcp|fetch|metrics|health|ready|config)(?:\/|$)/;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: [RELAY_PATHS] }));

// the new version takes over only when a person asked for it in some tab
self.addEventListener('message', (event) => {
  const data = event.data as { type?: unknown } | null | undefined;
  if (data?.type === 'skip_waiting') event.waitUntil(self.skipWaiting());
});

// the first visit is served from the cache at once, without another load
self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

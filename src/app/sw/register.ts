import { toast } from '../ui/announce.svelte.ts';

/** A tab that stays open for days still learns of a new version this soon, ms. */
const CHECK_EVERY_MS = 60 * 60 * 1000;

/**
 * Registers the service worker and offers its updates. Only the tab whose person asked reloads: another one keeps
 * running on what it has loaded, and says so when a part of the old version is missing.
 */
export async function registerServiceWorker(): Promise<void> {
  try {
    const first = navigator.serviceWorker.controller === null;
    const registration = await navigator.serviceWorker.register('/sw.js', { scope: '/', updateViaCache: 'none' });
    if (first) {
      void navigator.serviceWorker.ready.then(() => {
        toast('Ready to work offline');
      });
    }
    if (registration.waiting !== null) offer(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing;
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'installed' && navigator.serviceWorker.controller !== null) offer(worker);
      });
    });
    setInterval(() => {
      registration.update().catch((error: unknown) => {
        console.info('no answer to the check for a new version', error);
      });
    }, CHECK_EVERY_MS);
  } catch (error) {
    // e.g. a certificate that the browser does not trust: the app works, only not offline
    console.warn('the service worker could not be registered', error);
  }
}

function offer(worker: ServiceWorker): void {
  toast('A new version is ready.', {
    action: {
      label: 'Reload',
      run: () => {
        // another tab may have taken the new version meanwhile: then there is nothing left to wait for
        if (worker.state === 'activated') {
          location.reload();
          return;
        }
        navigator.serviceWorker.addEventListener('controllerchange', () => {
          location.reload();
        });
        worker.postMessage({ type: 'skip_waiting' });
      },
    },
  });
}

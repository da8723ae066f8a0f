import { mountApp } from './mount.ts';

/**
 * Starts the app. The peer (libp2p, Helia, storage) is a chunk of its own: the shell is on screen before it has loaded.
 * @param invite the fragment that was taken from the address bar
 */
export function boot(invite: string | null): void {
  const peer = () => import('../peer/tab.ts');
  mountApp(
    async () => (await peer()).openHost(),
    invite,
    async (room) => (await peer()).exportStoredRoom(room),
  );
  if (import.meta.env.PROD && 'serviceWorker' in navigator) {
    void import('./sw/register.ts').then(({ registerServiceWorker }) => registerServiceWorker());
  }
}

import { mount } from 'svelte';
import type { AppHost } from '../contracts/app.ts';
import App from './App.svelte';

/**
 * Mounts the app into `#app`.
 * @param loadHost called once the first paint is under way
 * @param exportRoom `AppHost.exportRoom` without the host: for a device whose own data cannot be read
 */
export function mountApp(
  loadHost: () => Promise<AppHost>,
  invite: string | null,
  exportRoom?: AppHost['exportRoom'],
): void {
  const target = document.getElementById('app');
  if (target === null) throw new Error('the page has no #app element');
  mount(App, { target, props: { loadHost, invite, ...(exportRoom === undefined ? {} : { exportRoom }) } });
}

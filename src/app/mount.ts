import { mount } from 'svelte';
import type { AppHost } from '../contracts/app.ts';
import App from './App.svelte';

/** Mounts the app into `#app`. `loadHost` is called once the first paint is under way. */
export function mountApp(loadHost: () => Promise<AppHost>, invite: string | null): void {
  const target = document.getElementById('app');
  if (target === null) throw new Error('the page has no #app element');
  mount(App, { target, props: { loadHost, invite } });
}

import { createSubscriber } from 'svelte/reactivity';

/** Relative times are no finer than this while they are shown. */
const TICK_MS = 10_000;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, TICK_MS);
  return () => {
    clearInterval(timer);
  };
});

/** ms since the epoch; read in a template or effect, it is read again every ten seconds. */
export function now(): number {
  subscribe();
  return Date.now();
}

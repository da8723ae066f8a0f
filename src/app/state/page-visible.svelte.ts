import { createSubscriber } from 'svelte/reactivity';

const track = createSubscriber((update) => {
  document.addEventListener('visibilitychange', update);
  return () => {
    document.removeEventListener('visibilitychange', update);
  };
});

/** Whether somebody can see the page; reactive. */
export function pageVisible(): boolean {
  track();
  return document.visibilityState === 'visible';
}

import { MediaQuery } from 'svelte/reactivity';

/** Below this a row has no room for columns, nor a graph for names. The style sheets' number. */
const query = new MediaQuery('(max-width: 860px)');

/** Whether the window is narrow; reactive. */
export function narrow(): boolean {
  return query.current;
}

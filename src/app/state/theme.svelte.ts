import { applyTheme, storedTheme, storeTheme, type Theme } from './theme.ts';

let chosen = $state<Theme>(storedTheme());

/** The theme chosen in this browser; reactive. */
export function theme(): Theme {
  return chosen;
}

/** Changes the theme now and for the next visits. */
export function chooseTheme(next: Theme): void {
  chosen = next;
  applyTheme(next);
  storeTheme(next);
}

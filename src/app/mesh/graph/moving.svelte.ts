import { untrack } from 'svelte';
import { cubicOut } from 'svelte/easing';
import { prefersReducedMotion, Tween } from 'svelte/motion';
import type { PeerId } from '../../../lib/ids.ts';
import { between } from './between.ts';
import type { Point } from './ellipse.ts';

/** Long enough to be followed, too short to be waited for. */
const MOVE_MS = 180;

type Places = ReadonlyMap<PeerId, Point>;

/**
 * Places that glide to where they belong when somebody comes or goes, and jump when the window changes or motion is not
 * wanted. Call during component initialisation.
 * @param target read reactively
 * @param frame what the places are drawn in: when it changes, they jump
 */
export function movingPlaces(target: () => Places, frame: () => string): { readonly now: Places } {
  const progress = new Tween(1, { easing: cubicOut });
  let from = $state.raw<Places>(untrack(target));
  let to = $state.raw<Places>(untrack(target));
  const now = $derived(between(from, to, progress.current));
  let drawnIn = '';

  $effect.pre(() => {
    const next = target();
    const size = frame();
    untrack(() => {
      const glide = size === drawnIn && !prefersReducedMotion.current;
      from = now;
      to = next;
      drawnIn = size;
      void progress.set(glide ? 0 : 1, { duration: 0 });
      if (glide) void progress.set(1, { duration: MOVE_MS });
    });
  });
  return {
    get now() {
      return now;
    },
  };
}

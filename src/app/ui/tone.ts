import type { Component } from 'svelte';

/** What a colour means here. A tone never stands alone: an icon or a word goes with it. */
export type Tone = 'neutral' | 'direct' | 'waiting' | 'failed' | 'running';

/** A Lucide icon, imported by name from `@lucide/svelte/icons/<name>`. */
export type Icon = Component<{
  size?: number | string;
  strokeWidth?: number | string;
  'aria-hidden'?: 'true' | boolean;
}>;

import Database from '@lucide/svelte/icons/database';
import FlaskConical from '@lucide/svelte/icons/flask-conical';
import Search from '@lucide/svelte/icons/search';
import Settings from '@lucide/svelte/icons/settings';
import Waypoints from '@lucide/svelte/icons/waypoints';
import Wrench from '@lucide/svelte/icons/wrench';
import type { Component } from 'svelte';
import type { ViewName } from '../state/routes.ts';
import type { Icon } from '../ui/tone.ts';

export interface NavItem {
  readonly view: ViewName;
  readonly title: string;
  readonly icon: Icon;
  /** each view is a chunk of its own */
  readonly load: () => Promise<{ default: Component }>;
}

/** The views of the app in the order of the rail. */
export const NAV: readonly NavItem[] = [
  { view: 'research', title: 'Research', icon: FlaskConical, load: () => import('../research/Research.svelte') },
  { view: 'search', title: 'Search', icon: Search, load: () => import('../search/Search.svelte') },
  { view: 'data', title: 'Data', icon: Database, load: () => import('../data/Data.svelte') },
  { view: 'tools', title: 'Tools', icon: Wrench, load: () => import('../tools/Tools.svelte') },
  { view: 'mesh', title: 'Mesh', icon: Waypoints, load: () => import('../mesh/Mesh.svelte') },
  { view: 'settings', title: 'Settings', icon: Settings, load: () => import('../settings/Settings.svelte') },
];

import Ban from '@lucide/svelte/icons/ban';
import Check from '@lucide/svelte/icons/check';
import Circle from '@lucide/svelte/icons/circle';
import CircleX from '@lucide/svelte/icons/circle-x';
import LoaderCircle from '@lucide/svelte/icons/loader-circle';
import type { RunState, StepState } from '../../contracts/workflow.ts';
import type { Icon, Tone } from '../ui/tone.ts';

export interface StatusLook {
  readonly word: string;
  readonly tone: Tone;
  readonly icon: Icon;
}

/** How a state of a run or step is shown: a word, a colour and an icon, never colour alone. */
export const STATUS: Readonly<Record<RunState['status'] | StepState['status'], StatusLook>> = {
  created: { word: 'Waiting', tone: 'waiting', icon: Circle },
  pending: { word: 'Waiting', tone: 'neutral', icon: Circle },
  running: { word: 'Running', tone: 'running', icon: LoaderCircle },
  completed: { word: 'Done', tone: 'direct', icon: Check },
  failed: { word: 'Failed', tone: 'failed', icon: CircleX },
  cancelled: { word: 'Cancelled', tone: 'neutral', icon: Ban },
  skipped: { word: 'Skipped', tone: 'neutral', icon: Ban },
};

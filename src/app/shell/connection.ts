import Ban from '@lucide/svelte/icons/ban';
import CloudOff from '@lucide/svelte/icons/cloud-off';
import LoaderCircle from '@lucide/svelte/icons/loader-circle';
import Route from '@lucide/svelte/icons/route';
import User from '@lucide/svelte/icons/user';
import Zap from '@lucide/svelte/icons/zap';
import type { Connection } from '../../contracts/mesh.ts';
import type { Icon, Tone } from '../ui/tone.ts';

export interface ConnectionText {
  readonly word: string;
  readonly tone: Tone;
  readonly icon: Icon;
  /** one sentence on what it means */
  readonly text: string;
  /** something keeps peers apart: there is a reason to look for, and the doctor looks */
  readonly trouble: boolean;
}

/** Where the doctor begins to examine as soon as it is shown. */
export const DOCTOR_PATH = '/mesh?doctor';

const WORDS: Readonly<Record<Connection['state'], ConnectionText>> = {
  starting: { word: 'Starting', tone: 'running', icon: LoaderCircle, text: 'This peer is starting.', trouble: false },
  direct: {
    word: 'Direct',
    tone: 'direct',
    icon: Zap,
    text: 'Everybody here is connected to you directly; no relay carries what you exchange.',
    trouble: false,
  },
  relayed: {
    word: 'Relayed',
    tone: 'waiting',
    icon: Route,
    text: 'At least one peer is reached only through the relay, which carries encrypted bytes. That is slower than a direct link.',
    trouble: true,
  },
  alone: {
    word: 'Alone',
    tone: 'neutral',
    icon: User,
    text: 'The relay answers, and nobody else is here now. Share the invite, or open it in another browser.',
    trouble: false,
  },
  refused: {
    word: 'Put out',
    tone: 'failed',
    icon: Ban,
    text: 'The room’s members answer, and no longer let this device in. What it has fetched stays here and can be searched.',
    trouble: true,
  },
  offline: {
    word: 'Offline',
    tone: 'failed',
    icon: CloudOff,
    text: 'Neither the relay nor a member can be reached. What this device holds stays here and can be searched.',
    trouble: true,
  },
};

/** How a connection is shown. `starting` and `offline` bring their own words on what goes on. */
export function connectionText(connection: Connection): ConnectionText {
  const known = WORDS[connection.state];
  if (connection.state === 'offline' && connection.message !== '')
    return { ...known, text: `${known.text} (${connection.message})` };
  if (connection.state === 'starting' && connection.message !== '') return { ...known, text: connection.message };
  return known;
}

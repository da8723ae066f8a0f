import type { ApprovalRequest, Asker } from '../../contracts/approvals.ts';
import type { RoomDataset } from '../../contracts/ports.ts';
import type { AccessClass, ToolMetadata } from '../../contracts/tools.ts';
import { visibleText } from '../access/text/visible-text.ts';
import { formatBytes, plural } from '../ui/format.ts';

/** Longest name of somebody that is shown, characters: what stands after it must be seen. */
const MAX_NAME = 60;
/** Arguments that are listed by name; the rest is in the text as it was sent. */
const MAX_ROWS = 8;
/** Characters of one of them. */
const MAX_VALUE = 300;

/** What a class of access means to the person whose device it is. */
export const ACCESS_WORDS: Readonly<Record<AccessClass, string>> = {
  read: 'It reads what this device keeps.',
  compute: 'It works on this device, and may add data here.',
  write: 'It may change or delete what this device keeps.',
  admin: 'It administers this device.',
};

/** What a tool is called here. It is its own title, never the caller's word for it. */
export function toolTitle(own: ToolMetadata | undefined, name: string): string {
  return own?.annotations.title ?? oneLine(name);
}

/** What a tool does, in the first sentence of its own description. */
export function toolSentence({ description }: Pick<ToolMetadata, 'description'>): string {
  const end = description.search(/[.;](\s|$)/u);
  return end < 0 ? description : `${description.slice(0, end)}.`;
}

/**
 * Who asks, as it may be shown: in one line, with nothing hidden, and cut. A token says that it is one: it may be called
 * like a device, or “owner”.
 */
export function askerName({ name, class: kind }: Pick<Asker, 'name' | 'class'>): string {
  const shown = oneLine(name);
  if (kind === 'relay') return `token “${shown}”`;
  return shown === '' ? 'a device without a name' : shown;
}

/** Where an asker belongs, in a few words. @param relay what the relay that vouches for it is called; null when unknown */
export function askerKind({ class: kind, device }: Pick<Asker, 'class' | 'device'>, relay: string | null): string {
  if (kind === 'member') return 'a device of this room';
  const through = `called through ${relay === null ? 'a relay of this room' : `“${oneLine(relay)}”`}`;
  return device === null ? through : `${through} by a token of the device`;
}

/** What an asker's picture is made of: that of a token is not its device's. */
export const faceOf = ({ class: kind, device, key }: Asker): string => (kind === 'member' ? (device ?? key) : key);

/** An argument of a call as it is listed. */
export interface ArgumentRow {
  readonly name: string;
  readonly text: string;
  readonly cut: boolean;
  /** what this device knows of the dataset that it names; null when it names none */
  readonly dataset: string | null;
}

export type RequestArguments =
  /** `more` are not listed */
  | { readonly form: 'list'; readonly rows: readonly ArgumentRow[]; readonly more: number }
  /** they are too long to be kept whole, or no object */
  | { readonly form: 'text' };

/** Takes the arguments of a request apart. */
export function requestArguments(
  { args }: Pick<ApprovalRequest, 'args'>,
  datasets: readonly RoomDataset[],
): RequestArguments {
  const value = parsed(args);
  if (value === null) return { form: 'text' };
  const all = Object.entries(value);
  const rows = all.slice(0, MAX_ROWS).map(([name, member]) => {
    const text = typeof member === 'string' ? member : JSON.stringify(member);
    const cut = text.length > MAX_VALUE;
    return {
      name: cutText(name, MAX_NAME),
      text: cut ? cutText(text, MAX_VALUE) : text,
      cut,
      dataset: datasetWords(datasets.find(({ data, manifest }) => data === member || manifest === member)),
    };
  });
  return { form: 'list', rows, more: all.length - rows.length };
}

function datasetWords(dataset: RoomDataset | undefined): string | null {
  if (dataset === undefined) return null;
  const { name, count, bytes, holders } = dataset;
  const elsewhere = holders.filter(({ self }) => !self).length;
  const copies = holders.some(({ self }) => self)
    ? elsewhere === 0
      ? 'this device has the only copy'
      : `${plural(elsewhere, 'other device has', 'other devices have')} a copy`
    : 'not kept here';
  return `the dataset “${cutText(visibleText(name), MAX_NAME)}”: ${plural(count, 'record')}, ${formatBytes(bytes)}, ${copies}`;
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // cut off: the person sees it as it is
  }
}

function oneLine(text: string): string {
  return cutText(visibleText(text.replace(/\s+/gu, ' ').trim()), MAX_NAME);
}

/** Cuts between characters, not within one. */
function cutText(text: string, max: number): string {
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}

import type { DeviceView, RoomState } from '../../contracts/replica.ts';
import type { DeviceId } from '../../lib/ids.ts';
import { friendlyName } from '../identity/names.ts';
import { MAX_ITEMS_PER_DEVICE } from './limits.ts';
import { readRevocation } from './revocation-shape.ts';
import { readDatasetSummary, readDeviceKind, readDeviceName, readRelayOffer, readSegmentManifest } from './shapes.ts';

/** What a device's document holds, unchecked. */
export interface DocContent {
  readonly profile: ReadonlyMap<string, unknown>;
  readonly datasets: ReadonlyMap<string, unknown>;
  readonly segments: ReadonlyMap<string, unknown>;
  readonly revocations: ReadonlyMap<string, unknown>;
}

export interface FoldedDevice {
  readonly view: DeviceView;
  /** what was ignored, one line each; empty for an honest device of this version */
  readonly problems: readonly string[];
}

/** What a device says, as far as it says it properly; the rest is ignored and named. Pure; throws for no content. */
export function foldDevice(device: DeviceId, content: DocContent): FoldedDevice {
  const datasets = foldItems(content.datasets, 'dataset', readDatasetSummary, (summary) => summary.data);
  const segments = foldItems(content.segments, 'segment', readSegmentManifest, (segment) => segment.dataset);
  const voided = foldItems(content.revocations, 'revocation', readRevocation, (each) => each.revoked_delegation_cid);
  const problems = [...datasets.problems, ...segments.problems, ...voided.problems];
  const name = content.profile.get('name');
  const kind = content.profile.get('kind');
  const offer = content.profile.get('relay');
  const relay = readRelayOffer(offer);
  if (name !== undefined && readDeviceName(name) === undefined) problems.push('its name is not one');
  if (kind !== undefined && readDeviceKind(kind) === undefined) problems.push('its kind is unknown');
  if (offer !== undefined && relay === undefined) problems.push('what it says of its relay makes no sense');
  return {
    view: {
      device,
      name: readDeviceName(name) ?? friendlyName(device),
      kind: readDeviceKind(kind) ?? 'tab',
      ...(relay === undefined ? {} : { relay }),
      datasets: datasets.items,
      segments: segments.items,
      ...(content.revocations.size === 0 ? {} : { revocations: voided.items }),
    },
    problems,
  };
}

/** The room: every device's view under its id. Pure; the order of `views` does not matter. */
export function foldRoom(views: Iterable<DeviceView>): RoomState {
  const sorted = [...views].sort((a, b) => compare(a.device, b.device));
  return { devices: Object.fromEntries(sorted.map((view) => [view.device, view])) };
}

function foldItems<T, K extends string>(
  map: ReadonlyMap<string, unknown>,
  what: string,
  read: (value: unknown) => T | undefined,
  keyOf: (item: T) => K,
): { items: Readonly<Record<K, T>>; problems: string[] } {
  const items: [K, T][] = [];
  let ignored = 0;
  for (const key of [...map.keys()].sort(compare)) {
    const item = read(map.get(key));
    if (item !== undefined && keyOf(item) === key && items.length < MAX_ITEMS_PER_DEVICE)
      items.push([keyOf(item), item]);
    else ignored++;
  }
  const problems = ignored === 0 ? [] : [`${ignored} ${what} entries are malformed or too many`];
  return { items: Object.fromEntries(items) as Record<K, T>, problems };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

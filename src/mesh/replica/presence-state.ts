import type { Battery, PeerLink } from '../../contracts/mesh.ts';
import type { DeviceId, PeerId } from '../../lib/ids.ts';
import { isPlainMap } from '../../lib/strict-map.ts';
import { isDeviceId } from '../identity/device-id.ts';
import { readDeviceKind, readDeviceName } from './shapes.ts';

/** What a peer says about itself while it is here; never stored. */
export interface PresenceState {
  readonly peer: PeerId;
  readonly device: DeviceId;
  readonly name: string;
  readonly kind: 'tab' | 'relay';
  /** false for a tab in the background: its timers are slow, it is not gone */
  readonly visible: boolean;
  /** names of the tools it offers */
  readonly tools: readonly string[];
  /** records its shard covers */
  readonly shardRecords: number;
  /** calls it has served, by tool, since it started */
  readonly served: Readonly<Record<string, number>>;
  /** share of its main thread's time that was busy lately, 0 to 1; null when it cannot tell */
  readonly load: number | null;
  readonly battery: Battery | null;
  /** whom it is linked to */
  readonly links: readonly PeerLink[];
  /** when it started, ms since the epoch */
  readonly since: number;
}

/** A catalogue of several hundred tools fits; more is not a catalogue. */
const MAX_TOOLS = 1000;
const MAX_TOOL_NAME = 128;
/** As many as a topic lists. */
const MAX_LINKS = 250;

/** A presence state with exactly the known fields, or undefined when `value` is none. */
export function readPresenceState(value: unknown): PresenceState | undefined {
  if (!isPlainMap(value)) return undefined;
  const { peer, device, visible, tools, shardRecords, served, since } = value;
  const name = readDeviceName(value['name']);
  const kind = readDeviceKind(value['kind']);
  if (!isDeviceId(peer) || !isDeviceId(device) || name === undefined || kind === undefined) return undefined;
  if (typeof visible !== 'boolean' || !isCount(shardRecords) || !isCount(since)) return undefined;
  if (!Array.isArray(tools) || tools.length > MAX_TOOLS || !tools.every(isToolName)) return undefined;
  const counts = isPlainMap(served) ? Object.entries(served) : [];
  if (!isPlainMap(served) || counts.length > MAX_TOOLS) return undefined;
  if (!counts.every((entry): entry is [string, number] => isToolName(entry[0]) && isCount(entry[1]))) return undefined;
  // apps of before these fields say nothing of them
  const { load = null, battery = null, links = [] } = value;
  if (!(load === null || isShare(load)) || !(battery === null || isBattery(battery))) return undefined;
  if (!Array.isArray(links) || links.length > MAX_LINKS || !links.every(isLink)) return undefined;
  return {
    peer: peer as string as PeerId,
    device,
    name,
    kind,
    visible,
    tools,
    shardRecords,
    served: Object.fromEntries(counts),
    load,
    battery: battery === null ? null : { level: battery.level, charging: battery.charging },
    links: links.map(({ peer: other, direct, latencyMs }) => ({ peer: other, direct, latencyMs })),
    since,
  };
}

const isToolName = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TOOL_NAME;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isShare = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

const isBattery = (value: unknown): value is Battery =>
  isPlainMap(value) && isShare(value['level']) && typeof value['charging'] === 'boolean';

function isLink(value: unknown): value is PeerLink {
  if (!isPlainMap(value) || !isDeviceId(value['peer']) || typeof value['direct'] !== 'boolean') return false;
  const { latencyMs } = value;
  return latencyMs === null || (typeof latencyMs === 'number' && latencyMs >= 0 && Number.isFinite(latencyMs));
}

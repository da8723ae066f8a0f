import type { RetryPolicy, Runtime, ToolMetadata } from '../../contracts/tools.ts';
import {
  DEFAULT_CATEGORY,
  HIGHEST_PRIORITY,
  MAX_CACHE_TTL_MS,
  METADATA_DEFAULTS,
  RETRY_POLICIES,
  RUNTIME_ALIASES,
  RUNTIMES,
} from '../../contracts/tools.ts';
import { TabmeshError } from '../../lib/errors.ts';

type Fields = Readonly<Record<string, unknown>>;
/** What MCP itself has no field for. */
type OurMetadata = Omit<ToolMetadata, 'name' | 'description' | 'annotations' | 'inputSchema' | 'outputSchema'>;

/** Modules of the original whose tools run on its peer-to-peer runtime (`spec/1` §2.1, rule 5). */
const MESH_MODULE = /mcplusplus|trio/;
/** Longer texts of a peer are cut: they are shown and compared, not read. */
const MAX_TEXT = 500;
/** What the original means by "no limit": the longest that a call may take here. */
const LONGEST_TIMEOUT_MS = 3_600_000;

/**
 * Reads what a peer says of a tool beside MCP's own fields: our record, or that of the Python original, whose names are in
 * snake_case and whose durations are seconds. What is missing gets defaults; a tool that says nothing is careful `admin`.
 * A priority above 10 is 10: the original's second suite knows 100.
 * @param legacy `_meta` of the tool: `runtime` and `module` count where the record does not say
 * @throws `invalid_input` for a runtime or retry policy that does not exist here, such as `custom`, and a negative priority
 */
export function readToolMetadata(tool: string, meta: Fields, legacy: Fields): OurMetadata {
  const { access } = meta;
  return {
    category: textOf(meta['category']) ?? DEFAULT_CATEGORY,
    access: access === 'read' || access === 'compute' || access === 'write' ? access : 'admin',
    runtime: runtimeOf(tool, meta, legacy),
    priority: priorityOf(tool, meta['priority']),
    timeoutMs: timeoutOf(meta),
    schemaVersion: textOf(meta['schemaVersion'] ?? meta['schema_version']) ?? METADATA_DEFAULTS.schemaVersion,
    requiresP2p: isSet(meta, 'requiresP2p', 'requires_p2p'),
    retry: retryOf(tool, meta['retry'] ?? meta['retry_policy']),
    memoryIntensive: isSet(meta, 'memoryIntensive', 'memory_intensive'),
    cpuIntensive: isSet(meta, 'cpuIntensive', 'cpu_intensive'),
    ioIntensive: isSet(meta, 'ioIntensive', 'io_intensive'),
    cacheTtlMs: access === 'read' ? cacheTtlOf(meta) : null,
    deprecation: deprecationOf(meta),
    sticky: meta['sticky'] === true ? tool : (textOf(meta['sticky']) ?? null),
    local: meta['local'] === true,
  };
}

function runtimeOf(tool: string, meta: Fields, legacy: Fields): Runtime {
  const said = known(tool, 'runtime', meta['runtime'], RUNTIMES, RUNTIME_ALIASES) ?? 'auto';
  if (said !== 'auto') return said;
  const attribute = RUNTIME_ALIASES[String(legacy['runtime'])] ?? legacy['runtime'];
  if (attribute === 'mesh' || attribute === 'relay') return attribute;
  return MESH_MODULE.test(textOf(legacy['module']) ?? '') ? 'mesh' : 'auto';
}

const retryOf = (tool: string, value: unknown): RetryPolicy =>
  known(tool, 'retry policy', value, RETRY_POLICIES, {}) ?? METADATA_DEFAULTS.retry;

function known<T extends string>(
  tool: string,
  what: string,
  value: unknown,
  allowed: readonly T[],
  aliases: Readonly<Record<string, T | undefined>>,
): T | undefined {
  if (value === undefined || value === null) return undefined;
  const name = typeof value === 'string' ? value : typeof value;
  const found = allowed.find((each) => each === name) ?? (Object.hasOwn(aliases, name) ? aliases[name] : undefined);
  if (found === undefined) {
    throw refused(tool, `its ${what} "${name.slice(0, MAX_TEXT)}" is none of ${allowed.join(', ')}`);
  }
  return found;
}

function priorityOf(tool: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return METADATA_DEFAULTS.priority;
  if (value < 0) throw refused(tool, 'its priority is negative');
  return Math.min(HIGHEST_PRIORITY, Math.round(value));
}

function timeoutOf(meta: Fields): number {
  const { timeoutMs, timeout_seconds: seconds } = meta;
  if (isPositive(timeoutMs)) return timeoutMs;
  if (seconds === null) return LONGEST_TIMEOUT_MS;
  return isPositive(seconds) ? seconds * 1000 : METADATA_DEFAULTS.timeoutMs;
}

function cacheTtlOf(meta: Fields): number | null {
  const { cacheTtlMs, cache_ttl: seconds } = meta;
  const ms = isPositive(cacheTtlMs) ? cacheTtlMs : isPositive(seconds) ? seconds * 1000 : null;
  return ms === null ? null : Math.min(ms, MAX_CACHE_TTL_MS);
}

function deprecationOf(meta: Fields): string | null {
  const said = textOf(meta['deprecation']);
  if (said !== undefined) return said;
  return meta['deprecated'] === true ? (textOf(meta['deprecation_message']) ?? 'it may go away') : null;
}

const isSet = (meta: Fields, ours: string, theirs: string): boolean => meta[ours] === true || meta[theirs] === true;

const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : undefined;

function refused(tool: string, why: string): TabmeshError {
  return new TabmeshError('invalid_input', `the tool "${tool.slice(0, MAX_TEXT)}" of a peer is not taken: ${why}`);
}

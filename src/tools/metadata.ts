import type { ToolMetadata } from '../contracts/tools.ts';
import { DEFAULT_CATEGORY, HIGHEST_PRIORITY, MAX_CACHE_TTL_MS, RETRY_POLICIES, RUNTIMES } from '../contracts/tools.ts';
import { TabmeshError } from '../lib/errors.ts';
import { MAX_CALL_MS } from './limits.ts';

/** snake_case, within what every MCP client takes as a tool name */
const NAME = /^[a-z][a-z0-9_]{0,63}$/;

/**
 * The hard rules of `spec/1` §1.2: a record that breaks one is no tool.
 * @param more faults that the caller has found itself, and nulls
 * @throws `invalid_input`; `details.faults` names every fault
 */
export function checkMetadata(tool: ToolMetadata, more: readonly (string | null)[] = []): void {
  const { priority, cacheTtlMs } = tool;
  const faults = [
    NAME.test(tool.name) ? null : 'its name is not snake_case of at most 64 characters',
    tool.category === '' ? 'it has no category' : null,
    RUNTIMES.includes(tool.runtime) ? null : `its runtime is none of ${RUNTIMES.join(', ')}`,
    RETRY_POLICIES.includes(tool.retry) ? null : `its retry policy is none of ${RETRY_POLICIES.join(', ')}`,
    Number.isInteger(priority) && priority >= 0 && priority <= HIGHEST_PRIORITY
      ? null
      : 'its priority is not a whole number from 0 to 10',
    tool.timeoutMs > 0 && tool.timeoutMs <= MAX_CALL_MS ? null : 'its deadline is out of range',
    cacheTtlMs === null || (cacheTtlMs > 0 && cacheTtlMs <= MAX_CACHE_TTL_MS) ? null : 'its cache TTL is out of range',
    cacheTtlMs === null || tool.access === 'read' ? null : 'only the answers of a tool that reads may be kept',
    ...more,
  ].filter((fault) => fault !== null);
  if (faults.length === 0) return;
  throw new TabmeshError('invalid_input', `the tool "${tool.name}" is not well defined: ${faults.join(', ')}`, {
    hint: 'Correct its definition.',
    details: { faults },
  });
}

/**
 * The soft rules of `spec/1` §1.2: what a complete record has.
 * @returns one text for each that it lacks
 */
export function metadataWarnings(tool: ToolMetadata): string[] {
  const { name, category, description, inputSchema, requiresP2p, runtime } = tool;
  return [
    name === '' ? 'it has no name' : null,
    category === '' || category === DEFAULT_CATEGORY ? 'it has no category of its own' : null,
    description === '' ? 'it has no description' : null,
    Object.keys(inputSchema).length === 0 ? 'it has no input schema' : null,
    requiresP2p && runtime === 'relay' ? 'it needs peers (p2p), but its runtime is relay' : null,
  ].filter((warning) => warning !== null);
}

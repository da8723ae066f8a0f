import type { Capability } from '../../contracts/grants.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { isPlainMap } from '../../lib/strict-map.ts';

/** Abilities that are the right to pass a grant on. */
const DELEGATE = new Set(['ucan/DELEGATE', 'ucan/delegate', 'mcp++/delegate', '*']);
const WINDOW = new Set(['nbf', 'exp', 'not_before', 'not_after']);

/**
 * Whether a pattern covers a name or a narrower pattern: equal, `*`, or `prefix/*` with a tail that is not empty. `prefix*`
 * never does.
 */
export function covers(pattern: string, name: string): boolean {
  if (pattern === '' || name === '') return false;
  if (pattern === '*' || pattern === name) return true;
  if (!pattern.endsWith('/*')) return false;
  const prefix = pattern.slice(0, -1);
  return name.startsWith(prefix) && name.length > prefix.length;
}

/** Whether an ability is the right to pass the grant on, rather than to do something. */
export const isDelegation = (ability: string): boolean =>
  DELEGATE.has(ability) || ability.endsWith('/DELEGATE') || ability.endsWith('/delegate');

/** What is wrong with a capability that is derived from another; null when nothing is. */
export type CapabilityFault =
  'resource_attenuation_failed' | 'method_attenuation_failed' | 'budget_attenuation_failed' | 'time_attenuation_failed';

/** Whether `child` asks for no more than `parent` has. */
export function attenuates(parent: Capability, child: Capability): CapabilityFault | null {
  if (!covers(parent.resource, child.resource)) return 'resource_attenuation_failed';
  if (!covers(parent.ability, child.ability)) return 'method_attenuation_failed';
  const [given, taken] = [parent.budget ?? {}, child.budget ?? {}];
  // an inherited bound may be lowered, neither raised nor left out; new ones may be added
  if (!bounds(given).every(([key, limit]) => isWithin(limit, taken[key]))) return 'budget_attenuation_failed';
  if (!keepsArgs(parent.args ?? {}, child.args ?? {})) return 'budget_attenuation_failed';
  const from = number(given['nbf'] ?? given['not_before'], -Infinity);
  const until = number(given['exp'] ?? given['not_after'], Infinity);
  const isInside =
    number(taken['nbf'] ?? taken['not_before'], -Infinity) >= from &&
    number(taken['exp'] ?? taken['not_after'], Infinity) <= until;
  return isInside ? null : 'time_attenuation_failed';
}

/** What a call is, as far as grants go. */
export interface GrantedCall {
  readonly resource: string;
  readonly ability: string;
  /** what the call takes of each bound; a bound that it does not tell denies it */
  readonly budget: Budget;
  /** seconds since the epoch */
  readonly now: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Whether a capability allows a call within its bounds. */
export function allows(capability: Capability, call: GrantedCall): boolean {
  return (
    covers(capability.resource, call.resource) &&
    covers(capability.ability, call.ability) &&
    bounds(capability.budget ?? {}).every(([key, limit]) => isWithin(limit, call.budget[key])) &&
    isInWindow(capability.budget ?? {}, call.now) &&
    keepsArgs(capability.args ?? {}, call.args)
  );
}

/** Reads a capability in any of the spellings that MCP++ knows; undefined when it is none: nothing left out is a wildcard. */
export function readCapability(value: unknown): Capability | undefined {
  if (!isPlainMap(value)) return undefined;
  const resource = oneOf(value, ['with', 'resource', 'res', 'uri']);
  const ability = oneOf(value, ['can', 'ability', 'method', 'action']);
  if (typeof resource !== 'string' || typeof ability !== 'string') return undefined;
  if (resource.trim() === '' || ability.trim() === '') return undefined;
  const budget = oneOf(value, ['nb', 'bounds', 'budget']) ?? {};
  const args = value['args'] ?? {};
  if (!isPlainMap(args) || !isBudget(budget)) return undefined;
  return {
    resource,
    ability,
    ...(Object.keys(budget).length === 0 ? {} : { budget }),
    ...(Object.keys(args).length === 0 ? {} : { args }),
  };
}

/** The value under one of these names, where it is given; NaN, which is nothing, where it is given twice and differently. */
export function oneOf(map: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  const given = names.flatMap((name) => (Object.hasOwn(map, name) && map[name] !== null ? [map[name]] : []));
  const [first, ...others] = given;
  return others.every((other) => isSame(first, other)) ? first : NaN;
}

type Budget = NonNullable<Capability['budget']>;

const isBudget = (value: unknown): value is Budget =>
  isPlainMap(value) && Object.values(value).every((limit) => typeof limit === 'number' || typeof limit === 'string');

const bounds = (budget: Budget) => Object.entries(budget).filter(([key]) => !WINDOW.has(key));

/** An amount stays below its limit; a name is that name. What is not told is in no bounds. */
function isWithin(limit: number | string, taken: number | string | undefined): boolean {
  if (typeof limit === 'string') return taken === limit;
  return typeof taken === 'number' && taken <= limit;
}

function isInWindow(budget: Budget, now: number): boolean {
  return (
    number(budget['nbf'] ?? budget['not_before'], -Infinity) <= now &&
    now <= number(budget['exp'] ?? budget['not_after'], Infinity)
  );
}

const number = (value: number | string | undefined, otherwise: number): number =>
  value === undefined ? otherwise : Number(value);

function keepsArgs(wanted: Readonly<Record<string, unknown>>, given: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(given, name) && isSame(value, given[name]));
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b));
}

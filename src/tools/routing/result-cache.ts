import type { RouteExplanation } from '../../contracts/tools.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import type { Clock } from '../../lib/clock.ts';

/** Answers kept (`spec/1` §1.4); the one that was used least lately goes first. */
const MAX_ENTRIES = 512;
/** A larger answer is a download; JSON characters. */
const MAX_ENTRY_CHARS = 256 * 1024;
/** All together: a phone does not miss it. */
const MAX_CHARS = 16 * 1024 * 1024;

/** What one answer depends on. */
export interface AnswerKey {
  readonly room: string;
  readonly tool: string;
  readonly schemaVersion: string;
  readonly principal: string;
  readonly args: unknown;
}

/** An answer that was given before. */
export interface KeptAnswer {
  /** a copy of its own for each reader; it may be null */
  value(): unknown;
  /** of the call that brought it */
  readonly route: RouteExplanation;
  readonly ageMs: number;
}

interface Entry {
  readonly json: string;
  readonly route: RouteExplanation;
  readonly at: number;
  readonly until: number;
}

/**
 * The key of an answer: arguments that are equal as JSON have the same (RFC 8785).
 * @returns undefined for arguments that have no canonical form; such a call is not kept
 */
export function answerKey({ room, tool, schemaVersion, principal, args }: AnswerKey): string | undefined {
  try {
    return `${room} ${tool} ${schemaVersion} ${principal} ${canonicalJson(args ?? {})}`;
  } catch {
    // the place that serves the call says better what is wrong with them
    return undefined;
  }
}

/** Answers of tools that say for how long theirs may be given again. */
export class ResultCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #chars = 0;
  #hits = 0;
  #misses = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get counts() {
    return { size: this.#entries.size, hits: this.#hits, misses: this.#misses };
  }

  get(key: string): KeptAnswer | undefined {
    const entry = this.#entries.get(key);
    const now = this.#clock.now();
    if (entry === undefined || entry.until <= now) {
      this.#drop(key);
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return { value: () => JSON.parse(entry.json) as unknown, route: entry.route, ageMs: now - entry.at };
  }

  /** Keeps an answer, unless it is too large. */
  set(key: string, value: unknown, route: RouteExplanation, ttlMs: number): void {
    const json = JSON.stringify(value);
    if (json.length > MAX_ENTRY_CHARS) return;
    this.#drop(key);
    const at = this.#clock.now();
    this.#entries.set(key, { json, route, at, until: at + ttlMs });
    this.#chars += json.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES && this.#chars <= MAX_CHARS) break;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#chars = 0;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#chars -= entry.json.length;
    this.#entries.delete(key);
  }
}

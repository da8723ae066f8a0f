/** A logger that takes a short event name and JSON fields; who composes the program decides where lines go. */
export interface Log {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
}

/** Logs nothing; for tests that do not look at logs. */
export const silentLog: Log = { debug: noop, info: noop, warn: noop, error: noop };

function noop(): void {
  // by definition
}

/** Logs one line an event through `write`, as `level event key=value …`. */
export function lineLog(write: (line: string) => void, prefix: string, levels: readonly (keyof Log)[]): Log {
  const at = (level: keyof Log) =>
    levels.includes(level)
      ? (event: string, fields: Record<string, unknown> = {}) => {
          const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
          write(`${prefix} ${level} ${event}${pairs.join('')}`);
        }
      : noop;
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

import { TabmeshError, type ErrorCode } from '../../lib/errors.ts';

/** After these nothing that is shown can be trusted: the storage beneath is not usable. */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['format_newer', 'storage_failed', 'corrupt']);

/**
 * Watches for errors that nobody caught: fatal ones go to `onFatal`, the others are told.
 * @returns the function that stops watching
 */
export function watchFailures(onFatal: (error: TabmeshError) => void, onOther: (message: string) => void): () => void {
  const handle = (thrown: unknown) => {
    console.error(thrown);
    if (thrown instanceof TabmeshError && FATAL.has(thrown.code)) onFatal(thrown);
    else if (!isCancellation(thrown)) onOther(`Something went wrong: ${messageOf(thrown)}`);
  };
  const onError = (event: ErrorEvent) => {
    // browsers report harmless ResizeObserver loops as errors without an error object
    if (event.error !== null && event.error !== undefined) handle(event.error);
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    handle(event.reason);
  };
  addEventListener('error', onError);
  addEventListener('unhandledrejection', onRejection);
  return () => {
    removeEventListener('error', onError);
    removeEventListener('unhandledrejection', onRejection);
  };
}

function isCancellation(thrown: unknown): boolean {
  if (thrown instanceof TabmeshError) return thrown.code === 'cancelled';
  return thrown instanceof DOMException && thrown.name === 'AbortError';
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

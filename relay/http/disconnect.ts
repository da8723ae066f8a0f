import type { ServerResponse } from 'node:http';

/** A signal that fires when the client goes away before its answer is complete. */
export function disconnectSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  // made when it is needed: an exception collects its stack, which costs more than the rest of a small request
  const abort = () => {
    controller.abort(new DOMException('the client disconnected', 'AbortError'));
  };
  if (response.closed) abort();
  response.once('close', () => {
    if (!response.writableFinished) abort();
  });
  return controller.signal;
}

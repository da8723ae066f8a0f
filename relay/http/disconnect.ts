import type { ServerResponse } from 'node:http';

/** A signal that fires when the client goes away before its answer is complete. */
export function disconnectSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const reason = new DOMException('the client disconnected', 'AbortError');
  if (response.closed) controller.abort(reason);
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(reason);
  });
  return controller.signal;
}

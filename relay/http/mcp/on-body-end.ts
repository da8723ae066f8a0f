/** A comment of server-sent events, which their readers leave out. */
const OPENED = new TextEncoder().encode(': open\n\n');

/**
 * The same response, with a call to `onEnd` once: when its body has been read to the end, has failed, or has been given
 * up because the client went away.
 * @param request whose signal fires when it does: a quiet stream would otherwise learn of that with its next byte only. One
 *   that opened a stream with GET is told at once that it is open, as Node sends a response's head with its first byte
 */
export function onBodyEnd(
  response: Response,
  onEnd: () => void,
  { signal, method }: Pick<Request, 'signal' | 'method'>,
): Response {
  // an answer of one piece is there already
  const isWhole = response.headers.get('content-type')?.startsWith('application/json') === true;
  if (response.body === null || isWhole) {
    onEnd();
    return response;
  }
  let over = false;
  const ended = () => {
    // given up while a read is pending: that read ends as well
    if (over) return;
    over = true;
    onEnd();
  };
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  signal.addEventListener(
    'abort',
    () => {
      // what it read last is read as the end, below
      reader.cancel(signal.reason).catch(() => undefined);
    },
    { once: true },
  );
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (method === 'GET' && response.ok) controller.enqueue(OPENED);
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          controller.enqueue(value);
          return;
        }
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      ended();
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

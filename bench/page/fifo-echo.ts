/** Calls over a channel that answers in order, one answer for each request and nothing else. */
export interface FifoEcho {
  /** sends one request; resolves when its answer has come */
  call(): Promise<void>;
  /** the next answer has come */
  answered(): void;
}

/** Makes a {@link FifoEcho}. @param send puts one request on the channel */
export function createFifoEcho(send: () => void): FifoEcho {
  const waiting: (() => void)[] = [];
  return {
    call: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        send();
      }),
    answered: () => waiting.shift()?.(),
  };
}

import type { BrowserContext, ConsoleMessage, Request, WebSocket } from '@playwright/test';

/** What goes wrong in a device's pages and workers, in words. */
export interface Problems {
  /** Lets problems that match pass, those that were there before as well. */
  expect(pattern: RegExp): void;
  /** those that nobody expected, in the order they came */
  unexpected(): readonly string[];
}

/**
 * Listens to all that a device's pages and workers complain of: uncaught errors, errors on the console (violations of
 * the content security policy are among them), and requests that would have left the machine.
 */
export function watchProblems(context: BrowserContext): Problems {
  const seen: string[] = [];
  const expected: RegExp[] = [];
  context.on('weberror', (webError) => {
    const error = webError.error();
    seen.push(`uncaught: ${error.stack ?? error.message}`);
  });
  context.on('console', (message) => {
    if (message.type() === 'error') seen.push(consoleProblem(message));
  });
  context.on('request', (request: Request) => {
    if (!isLocal(request.url())) seen.push(`left the machine: ${request.method()} ${request.url()}`);
  });
  context.on('page', (page) => {
    page.on('crash', () => seen.push(`crashed: ${page.url()}`));
    page.on('websocket', (socket: WebSocket) => {
      if (!isLocal(socket.url())) seen.push(`left the machine: WebSocket ${socket.url()}`);
    });
  });
  return {
    expect: (pattern) => expected.push(pattern),
    unexpected: () => seen.filter((problem) => !expected.some((pattern) => pattern.test(problem))),
  };
}

function consoleProblem(message: ConsoleMessage): string {
  const { url, lineNumber } = message.location();
  return `console: ${message.text()} (${url}:${lineNumber})`;
}

function isLocal(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  if (!/^(?:https?|wss?):$/.test(protocol)) return true;
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

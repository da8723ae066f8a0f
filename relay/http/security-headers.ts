/**
 * The policy of the app's pages. WebAssembly compiles (embedder, QR), nothing is evaluated. Svelte sets style properties
 * on elements, which counts as style attributes; style elements must come from us. The app talks to any relay that an
 * invite names and to services over TLS, and to loopback without.
 * @param ownSocket WebSocket origin of this relay: not all browsers count it as `'self'`
 */
function contentSecurityPolicy(ownSocket: string): string {
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self' ${ownSocket} https: wss: http://127.0.0.1:* ws://127.0.0.1:* http://localhost:* ws://localhost:*`,
    "worker-src 'self'",
    "manifest-src 'self'",
    "frame-src 'none'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Headers of every answer. @param appUrl of this relay */
export function securityHeaders(appUrl: string): Readonly<Record<string, string>> {
  const socket = new URL(appUrl);
  socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    'content-security-policy': contentSecurityPolicy(
      socket.origin === 'null' ? socket.href.replace(/\/$/, '') : socket.origin,
    ),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}

/** The app's addresses. */
export const VIEWS = ['research', 'search', 'data', 'tools', 'mesh', 'settings'] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  /** what the address asks for; `home` is `/`, `unknown` an address that this app does not have */
  readonly view: ViewName | 'home' | 'unknown';
  /** the decoded second part: a CID below `/data`, a tool's name below `/tools`, a page below `/settings` */
  readonly param: string | null;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Views that take a second part. */
const WITH_PARAM: ReadonlySet<ViewName> = new Set<ViewName>(['data', 'tools', 'settings']);

/** Reads an address. Never throws: what it does not know is `unknown`. */
export function parseRoute(url: URL): Route {
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const base = { path: url.pathname, query: url.searchParams };
  const [first, second, ...more] = parts;
  if (first === undefined) return { ...base, view: 'home', param: null };
  const view = VIEWS.find((name) => name === first);
  const param = second === undefined ? null : decoded(second);
  const fits = view !== undefined && more.length === 0 && (second === undefined || WITH_PARAM.has(view));
  if (!fits || (second !== undefined && param === null)) return { ...base, view: 'unknown', param: null };
  return { ...base, view, param };
}

/** Reads a link of this app, absolute or from the root; another origin's path is taken as this one's. */
export function readAddress(to: string): { readonly address: string; readonly route: Route } {
  const url = new URL(to, location.origin);
  return { address: url.pathname + url.search, route: parseRoute(url) };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null; // a stray percent sign
  }
}

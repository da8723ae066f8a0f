import type { Length, Sample } from './measure.ts';
import { measure } from './measure.ts';
import type { McpCaller } from './clients.ts';
import type { TabPair } from './tabs.ts';

/** One of the ways to get an echo that a round compares. */
export interface Kind {
  readonly id: string;
  readonly title: string;
  /** the kind that ratios are taken to */
  readonly floor: string | null;
  measure(length: Length): Promise<Sample>;
}

/** About 100 bytes: what a small call's arguments take. */
const PAYLOAD = JSON.stringify({ query: 'statins AND cardiovascular outcomes', max_results: 25, sources: ['pubmed'] });

/** All of them, in the order of the table. */
export function kinds(
  { b, ids }: TabPair,
  callers: Readonly<Record<'sdkTab' | 'plainTab' | 'sdkRelay' | 'plainRelay', McpCaller>>,
): readonly Kind[] {
  const overHttp = (caller: McpCaller) => (length: Length) => measure(() => caller.call(PAYLOAD), length);
  return [
    {
      id: 'channel',
      title: 'raw RTCDataChannel echo, tab to tab',
      floor: null,
      measure: (length) => b.evaluate(([p, l]) => bench.measureChannel(p, l), [PAYLOAD, length] as const),
    },
    {
      id: 'stream',
      title: 'raw libp2p stream echo, tab to tab',
      floor: 'channel',
      measure: (length) =>
        b.evaluate(([peer, p, l]) => bench.measureStream(peer, p, l), [ids.a, PAYLOAD, length] as const),
    },
    {
      id: 'call',
      title: 'tool call over the mesh, tab to tab',
      floor: 'channel',
      measure: (length) =>
        b.evaluate(([peer, p, l]) => bench.measureCall(peer, p, l), [ids.a, PAYLOAD, length] as const),
    },
    { id: 'mcp-relay', title: '/mcp answered by the relay (SDK)', floor: null, measure: overHttp(callers.sdkRelay) },
    { id: 'mcp-tab', title: '/mcp into a tab (SDK)', floor: 'mcp-relay', measure: overHttp(callers.sdkTab) },
    {
      id: 'post-relay',
      title: '/mcp answered by the relay (plain POST)',
      floor: null,
      measure: overHttp(callers.plainRelay),
    },
    { id: 'post-tab', title: '/mcp into a tab (plain POST)', floor: 'post-relay', measure: overHttp(callers.plainTab) },
  ];
}

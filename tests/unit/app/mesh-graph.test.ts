import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { between } from '../../../src/app/mesh/graph/between.ts';
import { keyTarget } from '../../../src/app/mesh/graph/arrow-keys.ts';
import { edgesOf, latencyClass, meshEdges } from '../../../src/app/mesh/graph/edges.ts';
import { perimeter, spread } from '../../../src/app/mesh/graph/ellipse.ts';
import { CIRCLE_MAX, layoutGraph, placeOrder } from '../../../src/app/mesh/graph/layout.ts';
import type { MeshPeer, PeerLink } from '../../../src/contracts/mesh.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { fakePeerId, fakePeers } from '../../support/fake-data.ts';

const SIZE = { width: 780, height: 420 };
const [a, b, c] = [fakePeerId(0), fakePeerId(1), fakePeerId(2)];

function peersTelling(links: readonly (readonly PeerLink[])[], ownLink: MeshPeer['link'] = 'direct'): MeshPeer[] {
  return fakePeers(links.length, false, []).map((peer, n) => ({
    ...peer,
    link: n === 0 ? 'self' : ownLink,
    latencyMs: n === 0 ? null : 10,
    links: links[n] ?? [],
  }));
}
const tell = (peer: PeerId, direct: boolean, latencyMs: number | null = 20): PeerLink => ({ peer, direct, latencyMs });
const linkBetween = (edges: ReturnType<typeof meshEdges>, one: PeerId, other: PeerId) =>
  edgesOf(edges, one).find((edge) => edge.other === other)?.edge;

describe('the links of a room', () => {
  it('has one edge for what both ends tell, and one for what only one tells', () => {
    const edges = meshEdges(peersTelling([[], [tell(c, true, 30)], [tell(b, true, 20)]]));
    expect(edges).toHaveLength(3);
    expect(linkBetween(edges, b, c)).toMatchObject({ kind: 'direct', latencyMs: 20, own: false });
    const oneSided = meshEdges(peersTelling([[], [tell(c, false)], []]));
    expect(linkBetween(oneSided, c, b)).toMatchObject({ kind: 'relayed', latencyMs: 20 });
  });

  it('is direct when either end says so, whoever speaks first', () => {
    for (const [first, second] of [
      [true, false],
      [false, true],
    ] as const) {
      const edges = meshEdges(peersTelling([[], [tell(c, first)], [tell(b, second)]]));
      expect(linkBetween(edges, b, c)?.kind).toBe('direct');
    }
  });

  it("shows this tab's links as it sees them, not as they were told last", () => {
    const stale = [[tell(b, true, 1), tell(c, true, 1)], [tell(a, true, 1)], []];
    const edges = meshEdges(peersTelling(stale, 'relayed'));
    expect(linkBetween(edges, a, b)).toEqual({
      a: expect.any(String),
      b: expect.any(String),
      kind: 'relayed',
      latencyMs: 10,
      own: true,
    });
    expect(linkBetween(meshEdges(peersTelling([[], [], []], 'connecting')), a, c)?.kind).toBe('connecting');
  });

  it('leaves out peers that are not here, and links to oneself', () => {
    const edges = meshEdges(peersTelling([[], [tell(fakePeerId(99), true), tell(b, true)]]));
    expect(edges).toHaveLength(1);
  });

  it('lists the fastest first, the unmeasured last', () => {
    const edges = meshEdges(peersTelling([[], [tell(c, true, null), tell(fakePeerId(3), true, 2)], [], []]));
    expect(edgesOf(edges, b).map(({ edge }) => edge.latencyMs)).toEqual([2, 10, null]);
  });

  it('has a step for every round trip', () => {
    expect([0, 29.9, 30, 149, 150, null].map(latencyClass)).toEqual([
      'fast',
      'fast',
      'middling',
      'middling',
      'slow',
      'unmeasured',
    ]);
  });
});

describe('an ellipse', () => {
  it('spreads points evenly along itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 60 }), fc.integer({ min: 50, max: 400 }), (count, rx) => {
        const points = spread(count, rx, 100);
        expect(points).toHaveLength(count);
        for (const { x, y } of points) expect((x / rx) ** 2 + (y / 100) ** 2).toBeCloseTo(1, 1);
        const step = perimeter(rx, 100) / count;
        for (const [n, point] of points.entries()) {
          const next = points[(n + 1) % count] ?? point;
          // a chord is shorter than its arc
          expect(Math.hypot(next.x - point.x, next.y - point.y)).toBeLessThan(step * 1.02);
        }
      }),
    );
  });
});

describe('the places of peers', () => {
  const orderOf = (count: number) => placeOrder(fakePeers(count, true, [])).map(({ peer }) => peer);

  it('begin with this tab and the relay, end with those being connected to, and do not depend on arrival', () => {
    const peers = fakePeers(40, true, []);
    const order = placeOrder(peers);
    expect(order[0]?.link).toBe('self');
    expect(order[1]?.kind).toBe('relay');
    expect(order.at(-1)?.link).toBe('connecting');
    expect(placeOrder([...peers].reverse())).toEqual(order);
  });

  it('do not move when a link gets better, a tab hides or a round trip changes', () => {
    const peers = fakePeers(12, false, []).map((peer) => ({
      ...peer,
      link: peer.link === 'self' ? peer.link : ('relayed' as const),
    }));
    const later = peers.map((peer) => ({
      ...peer,
      latencyMs: 99,
      visible: false,
      link: peer.link === 'self' ? peer.link : ('direct' as const),
    }));
    expect(placeOrder(later).map(({ peer }) => peer)).toEqual(placeOrder(peers).map(({ peer }) => peer));
  });

  it('are inside the stage, apart from each other, and the same every time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 280, max: 2_000 }),
        fc.constantFrom(380, 420, 600),
        (count, width, height) => {
          const order = orderOf(count);
          const { places, node, shape } = layoutGraph(order, { width, height });
          expect(layoutGraph(order, { width, height }).places).toEqual(places);
          expect(shape).toBe(count <= CIRCLE_MAX ? 'circle' : 'rings');
          const all = [...places.values()];
          expect(Math.max(...all.map(({ x }) => Math.abs(x))) + node / 2).toBeLessThanOrEqual(width / 2);
          expect(Math.max(...all.map(({ y }) => Math.abs(y))) + node / 2).toBeLessThanOrEqual(height / 2);
          const apart = all.flatMap((one, n) =>
            all.slice(n + 1).map((other) => Math.hypot(one.x - other.x, one.y - other.y)),
          );
          expect(Math.min(...apart, Infinity)).toBeGreaterThan(node * 0.9);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has room for 200 peers where there is a wide window, and begins with the nearest where there is not', () => {
    const order = orderOf(200);
    expect(layoutGraph(order, { width: 780, height: 600 }).places.size).toBe(200);
    const narrow = [...layoutGraph(order, { width: 300, height: 600 }).places.keys()];
    expect(narrow.length).toBeGreaterThan(40);
    expect(narrow).toEqual(order.slice(0, narrow.length));
  });

  it('puts a pair side by side and a lone peer in the middle', () => {
    const [left, right] = layoutGraph(orderOf(2), SIZE).places.values();
    expect(left).toMatchObject({ label: 'left' });
    expect(right).toMatchObject({ label: 'right' });
    expect(left?.y).toBeCloseTo(0);
    expect([...layoutGraph(orderOf(1), SIZE).places.values()]).toMatchObject([{ x: 0, y: 0 }]);
  });
});

describe('the keys of the graph', () => {
  const KEYS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];

  it('lead from every peer by some arrow, and by paging to every peer and round again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 120 }), (count) => {
        const order = placeOrder(fakePeers(count, true, [])).map(({ peer }) => peer);
        const { places } = layoutGraph(order, { width: 780, height: 600 });
        let at = order[0];
        const paged = new Set<PeerId>();
        while (at !== undefined && !paged.has(at)) {
          const from = at;
          paged.add(from);
          expect(KEYS.some((key) => keyTarget(places, from, key) !== undefined)).toBe(true);
          at = keyTarget(places, from, 'PageDown');
          if (at !== undefined) expect(keyTarget(places, at, 'PageUp')).toBe(from);
        }
        expect(paged).toEqual(new Set(places.keys()));
        expect(at).toBe(order[0]);
      }),
      { numRuns: 40 },
    );
  });

  it('go where they point, and nowhere from the edge or by another key', () => {
    const places = new Map([
      ['left', { x: -10, y: 1 }],
      ['right', { x: 10, y: 0 }],
    ]);
    expect(keyTarget(places, 'left', 'ArrowRight')).toBe('right');
    expect(keyTarget(places, 'right', 'ArrowLeft')).toBe('left');
    expect(keyTarget(places, 'left', 'ArrowLeft')).toBeUndefined();
    expect(keyTarget(places, 'left', 'Tab')).toBeUndefined();
    expect(keyTarget(places, 'left', 'End')).toBe('right');
    expect(keyTarget(places, 'right', 'Home')).toBe('left');
  });
});

describe('gliding', () => {
  it('goes straight from one place to the other; who is new is there, who is gone is gone', () => {
    const from = new Map([
      ['stays', { x: 0, y: 0 }],
      ['goes', { x: 5, y: 5 }],
    ]);
    const to = new Map([
      ['stays', { x: 10, y: -20 }],
      ['comes', { x: 1, y: 1 }],
    ]);
    expect(between(from, to, 0.5)).toEqual(
      new Map([
        ['stays', { x: 5, y: -10 }],
        ['comes', { x: 1, y: 1 }],
      ]),
    );
    expect(between(from, to, 1)).toEqual(to);
  });
});

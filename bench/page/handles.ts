import type { Length, Sample } from '../mesh/measure.ts';

/** What the bench's page offers to the process that drives it, as `globalThis.bench`. JSON goes in and out. */
export interface BenchHandles {
  /** this peer's id; null until the room is open */
  self(): string | null;
  /** peers here and how they are linked */
  peers(): readonly { readonly peer: string; readonly kind: string; readonly link: string; readonly tools: number }[];
  /** an RTCPeerConnection of the bench's own: the calling side. @returns its SDP with all candidates */
  offer(): Promise<string>;
  /** the answering side; echoes whatever comes. @returns its SDP with all candidates */
  answer(offer: string): Promise<string>;
  /** completes {@link offer}; resolves when the channel is open */
  accept(answer: string): Promise<void>;
  /** answers raw libp2p streams with what they send */
  serveStreamEcho(): Promise<void>;
  measureChannel(payload: string, length: Length): Promise<Sample>;
  measureStream(peer: string, payload: string, length: Length): Promise<Sample>;
  /** `echo` at that peer, the way the app calls a tool */
  measureCall(peer: string, payload: string, length: Length): Promise<Sample>;
  /** so many bytes from the other side over a channel of the bench's own. @returns ms */
  measureChannelBulk(bytes: number): Promise<number>;
  /** answers raw libp2p streams with as many bytes as they ask for */
  serveStreamBulk(): Promise<void>;
  /** so many bytes from that peer over a raw libp2p stream, plain or set up as the product does. @returns ms */
  measureStreamBulk(peer: string, bytes: number, kind: 'plain' | 'tuned'): Promise<number>;
  /** a new dataset of about so many bytes of records in this tab's store. @returns its root, and the bytes of its blocks */
  makeDataset(bytes: number): Promise<{ readonly data: string; readonly bytes: number }>;
  /** fetches a dataset from that peer by the product's transfer. @returns ms */
  measureTransfer(peer: string, data: string, into: 'memory' | 'disk'): Promise<number>;
  /** fetches a dataset by Bitswap into the product's own store. @returns ms */
  measureBitswap(data: string): Promise<number>;
  /** the longest main-thread task since it was last asked, ms; 0 when none lasted the 50 ms that browsers report */
  takeLongestTask(): number;
}

declare global {
  // a page's handles are global so that the driver finds them
  var bench: BenchHandles;
}

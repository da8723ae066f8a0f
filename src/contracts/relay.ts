import type { PeerId } from '../lib/ids.ts';

/**
 * Answer of `GET /config`: public, the same for everybody, but for `accessKey`, which a relay tells only where nobody but
 * this machine's users can ask.
 */
export interface RelayConfig {
  readonly version: string;
  readonly peerId: PeerId;
  /** dialable libp2p addresses of the relay, with peer id, derived from the public URL */
  readonly multiaddrs: readonly string[];
  /** true when the relay wants no access key */
  readonly open: boolean;
  /** base64url; null when the relay can be reached from elsewhere, or wants none */
  readonly accessKey: string | null;
  /** false when an upstream is overridden (tests, demo): tabs must then go through `/fetch` */
  readonly directFetch: boolean;
  readonly demo: boolean;
  /** the address that upstream services are told */
  readonly contact: string;
}

/** How the address of a STUN server is written (RFC 7064): scheme, host, optional port. */
export const STUN_URL = /^stuns?:(?:\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::\d{1,5})?$/i;
/** The same of a TURN server (RFC 7065), which may also name a transport. */
export const TURN_URL = /^turns?:(?:\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?$/i;
/** Browsers slow down, and warn, from the fifth server on. */
export const MAX_ICE_SERVERS = 4;

/** A STUN or TURN server, as `RTCConfiguration` names it. */
export interface IceServer {
  readonly urls: readonly string[];
  /** of a TURN server */
  readonly username?: string;
  readonly credential?: string;
}

/** How an access key of a relay is written: 16 bytes in base64url. */
export const RELAY_KEY_TEXT = /^[\w-]{22}$/;

/** What the relay's peer gives a member over the mesh. */
export interface FetchTicket {
  readonly ticket: string;
  /** absolute URL of the relay's `/fetch` */
  readonly url: string;
  /** ms since the epoch */
  readonly expiresAt: number;
}

/** A token for an MCP or REST client. The clear text is shown once. */
export interface ClientToken {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  /** absolute URL of the MCP endpoint */
  readonly mcp: string;
}
/** Lifetime of a fetch ticket: long enough for a collection, short enough that a leaked one soon dies. */
export const FETCH_TICKET_MS = 10 * 60 * 1000;

/**
 * On an answer of `/fetch` that is the relay's own and not the service's: the error's code. Its body is
 * `{"error": WireError}`. Without it, status and body are what the service answered.
 */
export const FETCH_ERROR_HEADER = 'tabmesh-error';

import type { Multiaddr } from '@multiformats/multiaddr';
import { multiaddr } from '@multiformats/multiaddr';
import { TabmeshError } from '../../lib/errors.ts';
import type { PeerId } from '../../lib/ids.ts';

/** A relay as an invite or `/config` names it. */
export interface RelayAddress {
  readonly peer: PeerId;
  readonly address: Multiaddr;
  /** `host:port`, for people and for comparing */
  readonly host: string;
}

/**
 * Reads a relay's multiaddr: an IP or name, a TCP port, WebSocket with or without TLS, and the peer id; or an IP, a UDP
 * port, WebRTC-Direct with the hash of its certificate, and the peer id.
 * @throws `invalid_input` when it is something else
 */
export function parseRelayAddress(text: string): RelayAddress {
  let address: Multiaddr;
  try {
    address = multiaddr(text);
  } catch (cause) {
    throw new TabmeshError('invalid_input', `"${text}" is not a multiaddr`, { cause });
  }
  const parts = address.getComponents();
  const peer = parts.at(-1);
  const host = hostOf(address);
  const names = parts.map((part) => part.name);
  if (peer?.name !== 'p2p' || peer.value === undefined || host === null || names.includes('p2p-circuit')) {
    throw new TabmeshError('invalid_input', `"${text}" is not the address of a relay`, {
      hint: 'It looks like /dns4/relay.example.org/tcp/443/tls/ws/p2p/12D3…',
    });
  }
  return { peer: peer.value as PeerId, address, host };
}

/** `host:port` of a WebSocket multiaddr, `host:port/udp` of a WebRTC-Direct one, null for any other. */
export function hostOf(address: Multiaddr): string | null {
  const parts = address.getComponents();
  const [host, port, kind, certificate] = parts;
  const names = parts.map((part) => part.name);
  if (host?.value === undefined || port?.value === undefined) return null;
  const text = host.name === 'ip6' ? `[${host.value}]:${port.value}` : `${host.value}:${port.value}`;
  if (port.name === 'udp') {
    const direct = kind?.name === 'webrtc-direct' && certificate?.name === 'certhash';
    return direct && ['ip4', 'ip6'].includes(host.name) ? `${text}/udp` : null;
  }
  if (port.name !== 'tcp' || !['ip4', 'ip6', 'dns', 'dns4', 'dns6'].includes(host.name)) return null;
  return names.includes('ws') || names.includes('wss') ? text : null;
}

/** Whether a connection's address is this relay's own port, not a member that is reached through it. */
export function isAt(relay: RelayAddress, address: Multiaddr): boolean {
  const through = address.getComponents().some(({ name }) => name === 'p2p-circuit' || name === 'webrtc');
  return !through && hostOf(address) === relay.host;
}

/** Whether it is no relay, but the peer's own address: of a peer that was found without one. */
export function leadsTo({ address }: RelayAddress, peer: PeerId): boolean {
  return address.getComponents().at(-1)?.value === peer;
}

/** The address at which a relay's circuit leads to a peer. */
export function throughRelay(relay: RelayAddress, peer: PeerId, webrtc: boolean): Multiaddr {
  const circuit = relay.address.encapsulate('/p2p-circuit');
  return (webrtc ? circuit.encapsulate('/webrtc') : circuit).encapsulate(`/p2p/${peer}`);
}

import type { IceCandidate, IceGathering, NatType } from '../../contracts/bootstrap.ts';
import { ipVersion, isPublicIp } from './ip-address.ts';

/**
 * Tells the type of NAT from the candidates of one gathering (RFC 4787 §4.1: whether the mapping depends on the endpoint).
 * IPv4 decides where it shows anything: it is where NATs are.
 */
export function classifyNat({ candidates, answered }: IceGathering): NatType {
  const udp = candidates.filter(({ protocol }) => protocol === 'udp');
  for (const version of [4, 6]) {
    const type = classify(
      udp.filter(({ address }) => ipVersion(address) === version),
      answered,
    );
    if (type !== 'unknown') return type;
  }
  return 'unknown';
}

function classify(candidates: readonly IceCandidate[], answered: number): NatType {
  const hosts = new Set(candidates.filter(({ type }) => type === 'host').map(({ address }) => address));
  const mapped = candidates.filter(({ type }) => type === 'srflx');
  if (mapped.length === 0) return [...hosts].some(isPublicIp) ? 'open' : 'unknown';
  if (mapped.some(({ address }) => hosts.has(address))) return 'open';
  // a mapping belongs to one socket of this device; a machine with two networks has two
  const bySocket = Map.groupBy(mapped, (one) => `${one.relatedAddress ?? ''} ${one.relatedPort ?? ''}`);
  for (const ports of bySocket.values()) {
    if (new Set(ports.map(({ address, port }) => `${address} ${port}`)).size > 1) return 'symmetric';
  }
  return answered >= 2 ? 'cone' : 'unknown';
}

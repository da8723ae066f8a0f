export interface PortMapping {
  readonly internalPort: number;
  readonly externalPort: number;
  readonly protocol: 'tcp' | 'udp';
  readonly lifetimeSeconds: number;
}

/**
 * Asks the router to forward a port here.
 * @returns always false: a page cannot speak UPnP or PCP, and a relay's owner forwards its one port by hand. Peers behind a
 *   NAT find each other by ICE, which needs no mapping
 */
export function mapPort(_mapping: PortMapping): Promise<boolean> {
  return Promise.resolve(false);
}

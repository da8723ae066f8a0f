import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { IceCandidate, IceCandidates, NatType } from '../../../../src/contracts/bootstrap.ts';
import { silentLog } from '../../../../src/lib/log.ts';
import { nodeIceCandidates } from '../../../../src/mesh/bootstrap/ice-candidates.node.ts';
import { iceReachability } from '../../../../src/mesh/bootstrap/ice-reachability.ts';
import { classifyNat } from '../../../../src/mesh/bootstrap/nat-type.ts';
import { bindingRequest, readBindingAnswer } from '../../../../src/mesh/bootstrap/stun.node.ts';
import { never } from '../../../support/peer-records.ts';
import { startStun } from '../../../support/stun-server.ts';

const natTypeOf = (ice: IceCandidates, stun: readonly string[]) =>
  iceReachability(ice, () => stun, silentLog).natType(never());

const host = (address: string, port = 5000): IceCandidate => ({
  type: 'host',
  protocol: 'udp',
  address,
  port,
  relatedAddress: null,
  relatedPort: null,
});
const mapped = (address: string, port: number, from = 5000): IceCandidate => ({
  ...host(address, port),
  type: 'srflx',
  relatedAddress: '192.168.1.2',
  relatedPort: from,
});

describe('the type of NAT', () => {
  it.each<[string, NatType, IceCandidate[], number]>([
    ['the host sees the address that others see', 'open', [host('198.51.100.7'), mapped('198.51.100.7', 5000)], 1],
    ['the host has a public address, and nobody sees another', 'open', [host('8.8.4.4')], 2],
    ['two servers see the same port', 'cone', [host('192.168.1.2'), mapped('8.8.4.4', 6000)], 2],
    [
      'two servers see two ports',
      'symmetric',
      [host('192.168.1.2'), mapped('8.8.4.4', 6000), mapped('8.8.4.4', 6001)],
      2,
    ],
    ['two servers see two addresses', 'symmetric', [mapped('8.8.4.4', 6000), mapped('8.8.4.5', 6000)], 2],
    ['two sockets have a port each', 'cone', [mapped('8.8.4.4', 6000, 1), mapped('8.8.4.4', 6001, 2)], 2],
    ['one server alone answered', 'unknown', [host('192.168.1.2'), mapped('8.8.4.4', 6000)], 1],
    ['no server was asked', 'unknown', [host('192.168.1.2')], 0],
    ['the browser hides the host', 'unknown', [host('0b5c.local')], 0],
    ['only TCP is told', 'unknown', [{ ...host('8.8.4.4'), protocol: 'tcp' }], 0],
    ['IPv6 is open behind an IPv4 NAT', 'cone', [host('2606:2800::1'), host('10.0.0.2'), mapped('8.8.4.4', 6000)], 2],
    ['there is IPv6 only', 'open', [host('2606:2800::1')], 0],
  ])('BS26 %s: %s', (_, type, candidates, answered) => {
    expect(classifyNat({ candidates, answered })).toBe(type);
  });

  it('BS26 an error is unknown', async () => {
    const broken: IceCandidates = { gather: () => Promise.reject(new Error('no sockets')) };
    expect(await natTypeOf(broken, [])).toBe('unknown');
  });
});

describe('STUN from one socket', () => {
  const servers: { close(): void }[] = [];
  const start = async (options?: Parameters<typeof startStun>[0]) => {
    const server = await startStun(options);
    servers.push(server);
    return server.url;
  };
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('BS26 two servers that see one port: cone', async () => {
    expect(await natTypeOf(nodeIceCandidates, [await start(), await start()])).toBe('cone');
  });

  it('BS26 two servers that see two ports: symmetric', async () => {
    const stun = [await start(), await start({ portShift: 1 })];
    expect(await natTypeOf(nodeIceCandidates, stun)).toBe('symmetric');
  });

  it('BS26 one of two servers is silent: unknown', async () => {
    const stun = [await start(), await start({ silent: true })];
    expect(await nodeIceCandidates.gather(stun, never())).toMatchObject({ answered: 1 });
  });

  it('BS26 a url that names no server is an error, and so unknown', async () => {
    await expect(nodeIceCandidates.gather(['turn:x'], never())).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await natTypeOf(nodeIceCandidates, ['turn:x'])).toBe('unknown');
  });

  it('tells the public address too, of what a server has seen', async () => {
    const reach = iceReachability(nodeIceCandidates, () => stun, silentLog);
    const stun = [await start()];
    expect(await reach.publicAddress(never())).toBe('127.0.0.1');
    expect(await iceReachability(nodeIceCandidates, () => ['turn:x'], silentLog).publicAddress(never())).toBeNull();
  });

  it('takes no datagram for an answer that is none', () => {
    const { id, bytes } = bindingRequest();
    const answer = Buffer.concat([bytes, Buffer.from('002000080001a147e112a643', 'hex')]);
    answer.writeUInt16BE(0x0101, 0);
    answer.writeUInt16BE(12, 2);
    expect(readBindingAnswer(answer, id)).toEqual({ address: '192.0.2.1', port: 0x8055 });
    expect(readBindingAnswer(answer, bindingRequest().id)).toBeUndefined();
    expect(readBindingAnswer(bytes, id)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(43), (noise, at) => {
        const changed = Buffer.from(answer);
        Buffer.from(noise).copy(changed, Math.min(at, changed.length));
        readBindingAnswer(changed, id);
        readBindingAnswer(Buffer.from(noise), id);
      }),
    );
  });
});

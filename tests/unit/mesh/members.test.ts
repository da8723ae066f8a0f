import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { Membership } from '../../../src/mesh/membership/membership.ts';
import type { MemberLink } from '../../../src/mesh/rpc/member-links.ts';
import { Members } from '../../../src/mesh/room/members.ts';
import type { RpcSessions } from '../../../src/mesh/rpc/sessions.ts';

const PEER = 'peer' as PeerId;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** One linked member that answers no ping, as after its machine has lost power. @returns whether it has been cut off */
function silentMember({ visible, hidden }: { readonly visible: boolean; readonly hidden: boolean }) {
  let inView = visible;
  let cut = false;
  const close = () => {
    cut = true;
    return Promise.resolve();
  };
  const link = { member: { peer: PEER }, connection: { close } } as unknown as MemberLink;
  let opened: ((event: { type: 'opened'; link: MemberLink }) => void) | undefined;
  const members = new Members({
    membership: {
      subscribe: (listener: typeof opened) => {
        opened = listener;
        return () => undefined;
      },
      linkTo: () => link,
    } as unknown as Membership,
    rpc: {
      request: (_peer: PeerId, _method: string, _params: unknown, { timeoutMs }: { timeoutMs: number }) =>
        new Promise((_resolve, reject) => {
          setTimeout(() => {
            reject(new TabmeshError('timeout', 'no answer'));
          }, timeoutMs);
        }),
    } as unknown as RpcSessions,
    clock: systemClock,
    visible: () => inView,
    isHidden: () => hidden,
    log: silentLog,
  });
  opened?.({ type: 'opened', link });
  return { isCut: () => cut, show: () => (inView = true), stop: () => members.stop() };
}

it('a peer that is gone shows as gone within 10 s', async () => {
  const member = silentMember({ visible: true, hidden: false });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(member.isCut()).toBe(true);
  member.stop();
});

it('a peer that is only hidden does not, for half a minute', async () => {
  const member = silentMember({ visible: true, hidden: true });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(member.isCut()).toBe(false);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(member.isCut()).toBe(true);
  member.stop();
});

it('nobody is gone while our own page is hidden: then our timers prove nothing', async () => {
  const member = silentMember({ visible: false, hidden: false });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(member.isCut()).toBe(false);
  member.stop();
});

it('an hour hidden counts against nobody when the page is in view again: the next two answers decide', async () => {
  const member = silentMember({ visible: false, hidden: false });
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  member.show();
  await vi.advanceTimersByTimeAsync(5_500);
  expect(member.isCut()).toBe(false);
  await vi.advanceTimersByTimeAsync(4_500);
  expect(member.isCut()).toBe(true);
  member.stop();
});

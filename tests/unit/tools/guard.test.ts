import { describe, expect, it } from 'vitest';
import type { ClassAccess } from '../../../src/contracts/approvals.ts';
import type { AccessClass, Principal, TokenScope } from '../../../src/contracts/tools.ts';
import { TabmeshError } from '../../../src/lib/errors.ts';
import type { DeviceId, PeerId } from '../../../src/lib/ids.ts';
import { createGuard, type Admission, type ArrivingCall, type GuardOptions } from '../../../src/tools/guard.ts';
import { createToolRegistry } from '../../../src/tools/registry.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { appPrincipal, memberPrincipal, selfDevice, selfPeer, tokenPrincipal } from '../../support/ports.ts';
import { failure, failureCode, sampleTool } from '../../support/tools.ts';

/** A guard whose decisions come at once, as they do for whatever a principal may do by itself. */
function guardOf(limits?: GuardOptions['limits'], options: Partial<GuardOptions> = {}) {
  const tools = (['read', 'compute', 'write', 'admin'] as const).map((access) =>
    sampleTool({ name: `${access}_it`, access }),
  );
  const guard = createGuard({
    registry: createToolRegistry(tools),
    self: { peer: selfPeer, device: selfDevice },
    ...(limits === undefined ? {} : { limits }),
    ...options,
  });
  return {
    admit(call: ArrivingCall): Admission {
      const admission = guard.admit(call);
      if (admission instanceof Promise) throw new Error('decided later');
      return admission;
    },
    admitLater: async (call: ArrivingCall) => guard.admit(call),
  };
}

const otherPrincipal = { device: 'device-9' as DeviceId };
const otherTab: Principal = { kind: 'device', device: selfDevice, peer: 'peer-2' as PeerId };

describe('guard', () => {
  it.each<[AccessClass, string, Principal, boolean]>([
    ['read', 'a member', memberPrincipal, true],
    ['read', 'a token', tokenPrincipal, true],
    ['compute', 'a member', memberPrincipal, true],
    ['compute', 'a token', tokenPrincipal, true],
    ['write', 'a member', memberPrincipal, false],
    ['write', 'a token', tokenPrincipal, false],
    ['write', 'another tab of this device', otherTab, true],
    ['write', 'the app', appPrincipal, true],
    ['admin', 'a member', memberPrincipal, false],
    ['admin', 'a token', tokenPrincipal, false],
    ['admin', 'another tab of this device', otherTab, false],
    ['admin', 'the app', appPrincipal, true],
  ])('access class %s, called by %s', async (access, _who, principal, allowed) => {
    const call = { tool: `${access}_it`, args: {}, principal };
    if (allowed) {
      expect(guardOf().admit(call).tool.metadata.access).toBe(access);
    } else {
      const error = await failure(() => guardOf().admitLater(call));
      expect(error.code).toBe('forbidden');
      expect(error.hint).not.toBeNull();
    }
  });

  it('decides in order: tool, principal, access, size, schema, quota', async () => {
    const guard = guardOf({ perPlace: 0, perPrincipal: 0 });
    const nobody = undefined as unknown as Principal;
    const huge = { text: 'a'.repeat(2 ** 20) };
    const admit = (tool: string, principal: Principal, args: unknown) =>
      failureCode(() => guard.admit({ tool, args, principal }));
    expect(await admit('nothing', nobody, huge)).toBe('unknown_tool');
    expect(await admit('admin_it', nobody, huge)).toBe('unauthorized');
    expect(await admit('admin_it', memberPrincipal, huge)).toBe('forbidden');
    expect(await admit('read_it', memberPrincipal, { ...huge, x: 1 })).toBe('payload_too_large');
    expect(await admit('read_it', memberPrincipal, { x: 1 })).toBe('invalid_input');
    expect(await admit('read_it', memberPrincipal, {})).toBe('rate_limited');
  });

  it.each([{}, { kind: 'device', device: '', peer: 'p' }, { kind: 'token', name: 'x' }, { kind: 'root' }, null])(
    'takes %j for nobody',
    async (principal) => {
      const admit = () => guardOf().admit({ tool: 'read_it', args: {}, principal: principal as Principal });
      expect(await failureCode(admit)).toBe('unauthorized');
    },
  );

  describe('what a token is good for', () => {
    const token = (scope: Partial<TokenScope>): Principal => ({
      kind: 'token',
      tokenId: 't',
      name: 't',
      relay: 'peer-3' as PeerId,
      scope: { classes: ['read'], tools: null, expiresAt: null, ...scope },
    });
    const at = (now: number) => guardOf(undefined, { clock: manualClock(now) });
    it.each<[string, Partial<TokenScope>, string, string | null]>([
      ['its classes', {}, 'read_it', null],
      ['no class beside them', {}, 'compute_it', 'forbidden'],
      ['its tools', { tools: ['read_it'] }, 'read_it', null],
      ['no tool beside them', { tools: ['other'] }, 'read_it', 'forbidden'],
      ['the time before its end', { expiresAt: 1001 }, 'read_it', null],
      ['no time after it', { expiresAt: 1000 }, 'read_it', 'unauthorized'],
      ['nothing when it has no class', { classes: [] }, 'read_it', 'forbidden'],
      ['administration by nobody but the owner', { classes: ['admin'] }, 'admin_it', 'forbidden'],
    ])('is %s', async (_what, scope, tool, refused) => {
      const admit = () => at(1000).admit({ tool, args: {}, principal: token(scope) });
      if (refused === null) expect(admit().tool.metadata.name).toBe(tool);
      else expect(await failureCode(admit)).toBe(refused);
    });

    it('takes the owner of the relay at its word, here and only from its own process', async () => {
      const owner: Principal = { kind: 'token', tokenId: 'owner', name: 'owner', relay: selfPeer };
      const admit = (principal: Principal) => guardOf().admit({ tool: 'admin_it', args: {}, principal });
      expect(admit(owner).tool.metadata.name).toBe('admin_it');
      expect(await failureCode(() => admit({ ...owner, relay: 'peer-2' as PeerId }))).toBe('forbidden');
      expect(await failureCode(() => admit({ ...owner, proof: 'signed' }))).toBe('forbidden');
    });
  });

  it('lets a device do less for others than for itself, and takes nothing from it by the way a call has come', async () => {
    const via = [{ device: otherPrincipal.device }];
    const cases: readonly (readonly [ClassAccess, string, Principal, boolean])[] = [
      [{ member: ['read'], relay: [] }, 'read_it', memberPrincipal, true],
      [{ member: ['read'], relay: [] }, 'compute_it', memberPrincipal, false],
      [{ member: ['read'], relay: [] }, 'read_it', tokenPrincipal, false],
      [{ member: [], relay: [] }, 'write_it', otherTab, true],
      [{ member: ['write'], relay: [] }, 'write_it', memberPrincipal, true],
      // a call of this device's own that came through somebody else is no call of its own any more
      [{ member: [], relay: [] }, 'read_it', { ...otherTab, via }, false],
      [{ member: [], relay: ['read'] }, 'read_it', { ...tokenPrincipal, via }, false],
      [{ member: ['read'], relay: ['read'] }, 'read_it', { ...tokenPrincipal, via }, true],
    ];
    for (const [access, tool, principal, allowed] of cases) {
      const guard = guardOf(undefined, { classAccess: () => access });
      const call = { tool, args: {}, principal };
      if (allowed) expect(guard.admit(call).tool.metadata.name).toBe(tool);
      else expect(await failureCode(() => guard.admitLater(call))).toBe('forbidden');
    }
  });

  it('asks about nothing that a caller may do by itself, and gives the slot back after a no', async () => {
    const asked: string[] = [];
    const guard = guardOf(
      { perPlace: 1, perPrincipal: 1 },
      {
        discretion: {
          decide: ({ tool, ask }) => {
            asked.push(`${tool} ${String(ask)}`);
            return Promise.reject(new TabmeshError('forbidden', 'no'));
          },
        },
      },
    );
    guard.admit({ tool: 'read_it', args: {}, principal: memberPrincipal }).release();
    for (let i = 0; i < 3; i++) {
      const call = { tool: 'write_it', args: {}, principal: memberPrincipal };
      expect(await failureCode(() => guard.admitLater(call))).toBe('forbidden');
    }
    expect(asked).toEqual(Array(3).fill('write_it true'));
    guard.admit({ tool: 'read_it', args: {}, principal: memberPrincipal });
  });

  it('limits each principal and the place, and gives a slot back once', async () => {
    const guard = guardOf({ perPlace: 3, perPrincipal: 2 });
    const admit = (principal: Principal) => guard.admit({ tool: 'read_it', args: {}, principal });
    const first = admit(memberPrincipal);
    admit(memberPrincipal);
    const refused = await failure(() => admit(memberPrincipal));
    expect(refused).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(refused.details['retryAfterMs']).toBeGreaterThan(0);
    admit(tokenPrincipal);
    expect(await failureCode(() => admit(appPrincipal))).toBe('rate_limited');
    first.release();
    first.release();
    admit(memberPrincipal);
    expect(await failureCode(() => admit(appPrincipal))).toBe('rate_limited');
  });

  it('holds no slot for a refused call', () => {
    const guard = guardOf({ perPlace: 1, perPrincipal: 1 });
    for (let i = 0; i < 5; i++) {
      expect(() => guard.admit({ tool: 'read_it', args: { x: 1 }, principal: memberPrincipal })).toThrow();
    }
    expect(guard.admit({ tool: 'read_it', args: {}, principal: memberPrincipal }).tool).toBeDefined();
  });

  it('suggests the nearest names for an unknown one', async () => {
    const error = await failure(() => guardOf().admit({ tool: 'raed_it', args: {}, principal: memberPrincipal }));
    expect(error.hint).toBe('Did you mean read_it?');
    expect(error.details['suggestions']).toEqual(['read_it']);
  });
});

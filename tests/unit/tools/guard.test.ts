import { describe, expect, it } from 'vitest';
import type { AccessClass, Principal } from '../../../src/contracts/tools.ts';
import type { PeerId } from '../../../src/lib/ids.ts';
import { createGuard, type Guard } from '../../../src/tools/guard.ts';
import type { QuotaLimits } from '../../../src/tools/quota.ts';
import { createToolRegistry } from '../../../src/tools/registry.ts';
import { appPrincipal, memberPrincipal, selfDevice, selfPeer, tokenPrincipal } from '../../support/ports.ts';
import { failure, failureCode, sampleTool } from '../../support/tools.ts';

function guardOf(limits?: QuotaLimits): Guard {
  const tools = (['read', 'compute', 'write', 'admin'] as const).map((access) =>
    sampleTool({ name: `${access}_it`, access }),
  );
  return createGuard({
    registry: createToolRegistry(tools),
    self: { peer: selfPeer, device: selfDevice },
    ...(limits === undefined ? {} : { limits }),
  });
}

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
    const admit = () => guardOf().admit({ tool: `${access}_it`, args: {}, principal });
    if (allowed) {
      expect(admit().tool.metadata.access).toBe(access);
    } else {
      const error = await failure(admit);
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
    expect(await admit('write_it', nobody, huge)).toBe('unauthorized');
    expect(await admit('write_it', memberPrincipal, huge)).toBe('forbidden');
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

import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { describe, expect, it } from 'vitest';
import { relayCatalog } from '../../../src/catalog/relay.ts';
import type { Ports } from '../../../src/contracts/ports.ts';
import type { Principal } from '../../../src/contracts/tools.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createMemoryStore } from '../../../src/mesh/storage/kv-memory.ts';
import { didOf } from '../../../src/mesh/principals/did.ts';
import { deviceOf, openApprovals, openGrants } from '../../support/access.ts';
import { memberPrincipal, memoryPorts, selfDevice, selfPeer } from '../../support/ports.ts';
import { failure, failureCode, localTools } from '../../support/tools.ts';

const tools = relayCatalog.filter(({ metadata }) => metadata.category === 'access');
const owner: Principal = { kind: 'token', tokenId: 'owner', name: 'owner', relay: selfPeer };
const friend = await deviceOf(2);

/** A relay with one call that waits for approval. */
async function relay() {
  const opened = await openApprovals({ store: createMemoryStore() });
  const grants = openGrants(await deviceOf(1));
  const call = {
    tool: 'delete_dataset',
    access: 'write',
    args: { data: 'x' },
    principal: memberPrincipal,
    approval: undefined,
  } as const;
  const pending = await failure(() => opened.gate.pass(call, undefined));
  const access: Ports['access'] = { approvals: async () => opened.book, grants: async () => grants };
  const local = localTools(relayCatalog, systemClock, { ports: memoryPorts({ access }) });
  return {
    handle: String(pending.details['handle']),
    call: async (tool: string, args: object = {}, principal: Principal = owner) => {
      const answer = (await local.call({ tool, args, principal })) as Record<string, unknown>;
      const metadata = tools.find((each) => each.metadata.name === tool)?.metadata;
      expect(new AjvJsonSchemaValidator().getValidator(metadata?.outputSchema ?? {})(answer)).toMatchObject({
        valid: true,
      });
      expect(JSON.stringify(Object.keys(answer))).not.toMatch(/[A-Z]/);
      return answer;
    },
  };
}

describe('the tools of who may do what', () => {
  it.each(tools.map(({ metadata }) => [metadata.name, metadata] as const))(
    '%s tells a client enough to choose it',
    (name, metadata) => {
      expect(metadata.description.length).toBeGreaterThan(100);
      expect(metadata.annotations.title).not.toBe(name);
      for (const field of Object.values(
        metadata.inputSchema['properties'] as Record<string, { description?: string; enum?: unknown }>,
      )) {
        expect(field.description ?? field.enum).toBeTruthy();
      }
    },
  );

  it('are for the owner of the relay alone, but for those that only look at grants', async () => {
    const { call, handle } = await relay();
    const given = {
      decide_approval: { handle, answer: 'no' },
      revoke_approval: { id: 'x' },
      revoke_grant: { cid: 'x' },
    };
    for (const { metadata } of tools.filter((each) => each.metadata.access === 'admin')) {
      const args = (given as Record<string, object>)[metadata.name] ?? {};
      expect(await failureCode(() => call(metadata.name, args, memberPrincipal))).toBe('forbidden');
      const own: Principal = { kind: 'device', device: selfDevice, peer: 'other-tab' as never };
      expect(await failureCode(() => call(metadata.name, args, own))).toBe('forbidden');
    }
    expect(await call('list_revocations', {}, memberPrincipal)).toEqual({ revocations: [] });
    expect(tools.filter(({ metadata }) => metadata.access !== 'admin').map(({ metadata }) => metadata.name)).toEqual([
      'list_revocations',
      'verify_grant',
    ]);
  });

  it('list what waits, answer it, and take the answer back', async () => {
    const { call, handle } = await relay();
    expect(await call('list_approvals')).toMatchObject({
      pending: [{ handle, tool: 'delete_dataset', args: '{"data":"x"}', asker: { class: 'member' } }],
      standing: [],
      classes: { member: ['read', 'compute'], relay: ['read', 'compute'] },
    });
    const decided = await call('decide_approval', { handle, answer: 'always' });
    const [standing] = decided['standing'] as { id: string }[];
    expect(decided).toMatchObject({ pending: [], standing: [{ decision: 'allow', expires_at: null }] });
    expect(await failureCode(() => call('decide_approval', { handle, answer: 'no' }))).toBe('not_found');
    expect(await call('revoke_approval', { id: standing?.id })).toMatchObject({ standing: [] });
    expect(await failureCode(() => call('revoke_approval', { id: standing?.id }))).toBe('not_found');
  });

  it('say what callers may do without asking, and never that they may administer', async () => {
    const { call } = await relay();
    const access = { member: ['read', 'write'], relay: [] };
    expect(await call('set_class_access', access)).toMatchObject({ classes: access });
    expect(await call('list_approvals')).toMatchObject({ classes: access });
    expect(await failureCode(() => call('set_class_access', { ...access, relay: ['admin'] }))).toBe('invalid_input');
  });

  it('issue, verify, list and revoke grants', async () => {
    const { call } = await relay();
    const issued = await call('issue_grant', {
      audience: friend.id,
      tools: ['delete_dataset'],
      calls: 2,
      args: { data: 'x' },
      max_depth: 1,
    });
    expect(issued).toMatchObject({
      claims: {
        audience: didOf(friend.id),
        capabilities: [{ ability: 'tools/delete_dataset', budget: { calls: 2 }, args: { data: 'x' } }],
        can_delegate: true,
        max_depth: 1,
      },
    });
    const { cid, tokens } = issued as { cid: string; tokens: string[] };
    const verify = (args: object) =>
      call('verify_grant', { chain: tokens, tool: 'delete_dataset', audience: didOf(friend.id), args });
    expect(await verify({ data: 'x' })).toMatchObject({ verdict: 'ok', hop: null, chain: [{ cid }] });
    expect(await verify({ data: 'y' })).toMatchObject({ verdict: 'capability_not_granted', hop: 0 });
    expect(await call('verify_grant', { chain: ['x'], tool: 'a', audience: 'b' })).toEqual({
      verdict: 'invalid_token',
      hop: null,
      chain: [],
    });
    expect(await call('list_grants')).toMatchObject({ grants: [{ cid, state: 'valid', used: 0 }] });
    expect(await call('revoke_grant', { cid, reason: 'over' })).toMatchObject({ revoked_delegation_cid: cid });
    expect(await verify({ data: 'x' })).toMatchObject({ verdict: 'revoked', hop: 0 });
    expect(await call('list_grants')).toMatchObject({ grants: [{ state: 'revoked' }] });
    const listed = { revocations: [{ revoked_delegation_cid: cid, reason: 'over', method: 'ledger' }] };
    expect(await call('list_revocations')).toMatchObject(listed);
    expect(await call('list_revocations', { method: 'dht' })).toEqual({ revocations: [] });
    expect(await failureCode(() => call('revoke_grant', { cid: 'bafkreiother' }))).toBe('not_found');
    expect(await failureCode(() => call('issue_grant', { audience: 'nobody', tools: ['a'] }))).toBe('invalid_input');
  });
});

import { describe, expect, it } from 'vitest';
import { PlainCalls } from '../../../relay/http/mcp/plain-call.ts';

const META = 'io.modelcontextprotocol/';
const HEADERS = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
const message = (clientInfo?: object, params: object = {}, rest: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'echo',
    arguments: {},
    _meta: {
      [`${META}protocolVersion`]: '2026-07-28',
      [`${META}clientCapabilities`]: {},
      ...(clientInfo === undefined ? {} : { [`${META}clientInfo`]: clientInfo }),
    },
    ...params,
  },
  ...rest,
});

describe('PlainCalls', () => {
  it('knows a client by what it says of itself, once that has passed', () => {
    const calls = new PlainCalls();
    const client = { name: 'a', version: '1' };
    expect(calls.read(message(client), HEADERS)).toBeUndefined();
    calls.passed(message(client));
    expect(calls.read(message(client), HEADERS)).toMatchObject({ id: 1, name: 'echo' });
    expect(calls.read(message({ ...client, version: '2' }), HEADERS)).toBeUndefined();
    expect(calls.read(message(), HEADERS)).toBeUndefined();
  });

  it('leaves to the SDK whatever is not quite plain', () => {
    const calls = new PlainCalls();
    calls.passed(message());
    const { _meta } = message().params;
    const odd: readonly unknown[] = [
      [message()],
      null,
      message(undefined, {}, { id: null }),
      message(undefined, {}, { id: 1.5 }),
      message(undefined, {}, { jsonrpc: '1.0' }),
      message(undefined, {}, { method: 'tools/list' }),
      message(undefined, {}, { result: {} }),
      message(undefined, { task: {} }),
      message(undefined, { inputResponses: {} }),
      message(undefined, { arguments: [] }),
      message(undefined, { name: 'é' }),
      message(undefined, { name: '=?base64?eA==?=' }),
      message(undefined, { _meta: { ..._meta, progressToken: 0 } }),
      message(undefined, { _meta: { ..._meta, [`${META}logLevel`]: 'debug' } }),
      message(undefined, { _meta: { ..._meta, [`${META}protocolVersion`]: '2025-11-25' } }),
    ];
    for (const body of odd) {
      const name = (body as { params?: { name: string } } | null)?.params?.name ?? 'echo';
      expect(calls.read(body, { ...HEADERS, 'mcp-name': name }), JSON.stringify(body)).toBeUndefined();
    }
    expect(calls.read(message(), HEADERS)).toBeDefined();
  });

  it('forgets the oldest of very many clients, and never keeps a very long one', () => {
    const calls = new PlainCalls();
    for (let i = 0; i < 300; i++) calls.passed(message({ name: `client ${i}` }));
    expect(calls.read(message({ name: 'client 0' }), HEADERS)).toBeUndefined();
    expect(calls.read(message({ name: 'client 299' }), HEADERS)).toBeDefined();
    const long = { name: 'x'.repeat(10_000) };
    calls.passed(message(long));
    expect(calls.read(message(long), HEADERS)).toBeUndefined();
  });
});

import { ACCESS_CLASSES } from '../../../src/contracts/access.ts';
import { MAX_AUDIT_ENTRIES } from '../../../src/monitor/audit/limits.ts';

/** What of the REST interface is the same in every room. */

const text = { type: 'string' } as const;
const time = { type: ['integer', 'null'], description: 'ms since the epoch' } as const;
const object = (properties: object, required: readonly string[] = Object.keys(properties)) =>
  ({ type: 'object', required, properties }) as const;
const list = (name: string) => ({ type: 'array', items: { $ref: `#/components/schemas/${name}` } }) as const;
const path = (name: string) => ({ name, in: 'path', required: true, schema: text }) as const;
const query = (name: string, schema: object = text) => ({ name, in: 'query', schema }) as const;

const get = (summary: string, schema: object, parameters: readonly object[] = []) => ({
  summary,
  parameters,
  responses: {
    200: { description: summary, content: { 'application/json': { schema } } },
    default: { $ref: '#/components/responses/Problem' },
  },
});

const classes = { type: 'array', items: { enum: ACCESS_CLASSES } } as const;
const tools = { type: ['array', 'null'], items: text, description: 'null: all tools of these classes' } as const;
const perMinute = { type: ['integer', 'null'], minimum: 1, description: 'calls a minute' } as const;

export const SCHEMAS = {
  Problem: object(
    {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: text,
      errors: { type: 'array', items: object({ pointer: text, detail: text }) },
      error: object({
        code: text,
        message: text,
        hint: { type: ['string', 'null'] },
        retryable: { type: 'boolean' },
        details: { type: 'object' },
      }),
    },
    ['type', 'title', 'status', 'detail', 'error'],
  ),
  Route: { type: 'object', description: 'Where it ran, which other places there were, and why this one' },
  Tool: object({ name: text, category: text, description: text, inputSchema: { type: 'object' } }),
  Peer: { type: 'object' },
  Run: { type: 'object' },
  TokenRequest: object({ name: text, classes, tools, perMinute, expiresAt: time }, ['name']),
  NewToken: object({ id: text, name: text, token: { ...text, description: 'shown this once' }, mcp: text }),
  Token: object({
    id: text,
    name: text,
    classes,
    tools,
    perMinute,
    expiresAt: time,
    createdAt: time,
    lastUsedAt: time,
  }),
  AuditEntry: { type: 'object' },
  AuditVerdict: { type: 'object' },
} as const;

export const FIXED_PATHS = {
  '/api/tools': { get: get('The tools of the room', object({ tools: list('Tool') })) },
  '/api/tools/{name}': { get: get('One tool', { $ref: '#/components/schemas/Tool' }, [path('name')]) },
  '/api/peers': { get: get('The peers of the room', object({ peers: list('Peer') })) },
  '/api/runs': { get: get('Runs of the relay’s own peer', object({ runs: list('Run') })) },
  '/api/runs/{id}': { get: get('One run', { $ref: '#/components/schemas/Run' }, [path('id')]) },
  '/api/tokens': {
    get: get('Tokens', object({ tokens: list('Token') })),
    post: {
      summary: 'Make a token',
      requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/TokenRequest' } } } },
      responses: {
        201: {
          description: 'The token, told this once',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/NewToken' } } },
        },
        default: { $ref: '#/components/responses/Problem' },
      },
    },
  },
  '/api/tokens/{id}': {
    delete: {
      summary: 'Take a token back',
      parameters: [path('id')],
      responses: {
        204: { description: 'It is refused from now on' },
        default: { $ref: '#/components/responses/Problem' },
      },
    },
  },
  '/api/audit': {
    get: get(
      'The audit log, newest first',
      object({ entries: list('AuditEntry'), next: { type: ['integer', 'null'] } }),
      [
        query('limit', { type: 'integer', minimum: 1, maximum: MAX_AUDIT_ENTRIES }),
        query('before', { type: 'integer', minimum: 0 }),
        ...['who', 'tool', 'outcome', 'trace'].map((name) => query(name)),
      ],
    ),
  },
  '/api/audit/verification': {
    get: get('Whether the audit log is whole', { $ref: '#/components/schemas/AuditVerdict' }),
  },
} as const;

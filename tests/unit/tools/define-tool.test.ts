import { describe, expect, it } from 'vitest';
import { createToolRegistry } from '../../../src/tools/registry.ts';
import * as z from '../../../src/tools/zod.ts';
import { failure, failureCode, sampleTool } from '../../support/tools.ts';

describe('defineTool', () => {
  it('derives metadata and JSON Schema 2020-12 from the definition', () => {
    const { metadata } = sampleTool();
    expect(metadata).toMatchObject({
      name: 'sample',
      priority: 5,
      schemaVersion: '1.0',
      annotations: {
        title: 'Sample',
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
      inputSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: { text: { type: 'string', default: 'hello' } },
        additionalProperties: false,
      },
      outputSchema: { required: ['text'], additionalProperties: false },
    });
    expect(metadata.inputSchema).not.toHaveProperty('required');
  });

  it('marks only tools of the access class read as read-only', () => {
    expect(sampleTool({ access: 'compute' }).metadata.annotations.readOnlyHint).toBe(false);
  });

  it.each([
    ['name', { name: 'Sample-Tool' }],
    ['description', { description: '' }],
    ['deadline', { timeoutMs: 0 }],
    ['deadline', { timeoutMs: 2 ** 31 }],
    ['priority', { priority: 11 }],
    ['input lets unknown', { input: z.object({ text: z._default(z.string(), '') }) }],
  ])('refuses a definition with an unsound %s', async (fault, definition) => {
    const error = await failure(() => sampleTool(definition));
    expect(error.code).toBe('invalid_input');
    expect(error.message).toContain(fault);
  });
});

describe('ToolRegistry', () => {
  it('lists by name whatever the order of registration, and announces each', () => {
    const registry = createToolRegistry([sampleTool({ name: 'beta' })]);
    let announced = 0;
    const off = registry.subscribe(() => (announced += 1));
    expect(registry.list()).toHaveLength(1);
    registry.register(sampleTool({ name: 'alpha' }));
    off();
    registry.register(sampleTool({ name: 'gamma' }));
    expect(registry.list().map(({ metadata }) => metadata.name)).toEqual(['alpha', 'beta', 'gamma']);
    expect(announced).toBe(1);
  });

  it('refuses a list that names two tools alike', async () => {
    expect(await failureCode(() => createToolRegistry([sampleTool(), sampleTool({ title: 'Other' })]))).toBe(
      'conflict',
    );
  });
});

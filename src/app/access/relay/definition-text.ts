import type { ToolDefinition } from '../../../contracts/definitions.ts';

/** Keys come in one order, so that only what was changed differs. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

const json = (value: unknown): string => JSON.stringify(sorted(value), null, 2);

/** A tool's definition as text that can be read and compared by lines: all that a client is told of it. */
export function definitionText({ description, annotations, inputSchema, outputSchema }: ToolDefinition): string {
  return [
    'Description',
    ...description.split('\n').map((line) => `  ${line}`),
    'What it says of itself',
    json(annotations),
    'Arguments',
    json(inputSchema),
    'Answer',
    json(outputSchema),
  ].join('\n');
}

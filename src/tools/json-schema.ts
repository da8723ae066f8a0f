import * as z from './zod.ts';

/**
 * The JSON Schema (2020-12) of one side of a tool. Zod's bounds of the safe integers are left out: they say
 * nothing to a reader, and every client pays for them in its context.
 * @param side `input` leaves fields that have a default optional
 */
export function toolJsonSchema(schema: z.ZodMiniObject, side: 'input' | 'output'): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, {
    io: side,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
}

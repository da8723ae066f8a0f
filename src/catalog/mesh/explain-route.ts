import type { Place } from '../../contracts/tools.ts';
import type { PeerId } from '../../lib/ids.ts';
import { defineTool } from '../../tools/define-tool.ts';
import * as z from '../../tools/zod.ts';
import { orNull, peerId } from '../peers/fields.ts';

/** Answered from what the peer knows, without asking anybody. */
const TIMEOUT_MS = 5000;
const MAX_NAME_CHARS = 64;

const place = z.strictObject({
  kind: z.enum(['self', 'peer', 'relay']),
  peer: z.string(),
  device: z.string(),
  name: z.string(),
});

/** Where a call would run, and why there. */
export const explainRoute = defineTool({
  name: 'explain_route',
  category: 'mesh',
  title: 'Explain a route',
  description:
    'Says where a call of a tool would run now, and why: every place of the room with its score, the reasons for it, or why it ' +
    'is not possible there. Nothing is run. Arguments matter when they name data, since a place that holds them is preferred. ' +
    'Use it when a call ran where you did not expect it, or when nobody can run a tool.',
  access: 'read',
  runtime: 'auto',
  local: true,
  idempotent: true,
  timeoutMs: TIMEOUT_MS,
  input: z.strictObject({
    tool: z.string().check(z.minLength(1), z.maxLength(MAX_NAME_CHARS), z.describe('name of the tool')),
    arguments: z._default(z.record(z.string(), z.unknown()).check(z.describe('arguments of the call')), {}),
    place: orNull(peerId, 'peer that the call would ask for; null: the best one'),
  }),
  output: z.strictObject({
    tool: z.string(),
    runtime: z.enum(['mesh', 'relay', 'auto']),
    chosen: z.nullable(place).check(z.describe('null when it could run nowhere')),
    why: z.string(),
    warnings: z.array(z.string()),
    candidates: z
      .array(
        z.strictObject({
          place,
          score: z.number().check(z.describe('higher is better; 0 when it is not possible there')),
          reasons: z.array(z.string()),
          excluded: z.nullable(z.string()).check(z.describe('why it is not possible there; null when it is')),
        }),
      )
      .check(z.describe('best first')),
  }),
  async run({ ports, principal }, { tool, arguments: args, place: pin }) {
    const plan = await ports.routing.explain({
      tool,
      args,
      principal,
      ...(pin === null ? {} : { place: pin as PeerId }),
    });
    return {
      tool: plan.tool,
      runtime: plan.runtime,
      chosen: plan.chosen === null ? null : toWire(plan.chosen),
      why: plan.why ?? '',
      warnings: plan.warnings ?? [],
      candidates: plan.candidates.map((each) => ({ ...each, place: toWire(each.place) })),
    };
  },
});

const toWire = ({ kind, peer, device, name }: Place) => ({ kind, peer, device, name });

import type { Ports } from '../../src/contracts/ports.ts';
import { TabmeshError, type ErrorCode } from '../../src/lib/errors.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { defineTool, type Tool, type ToolDefinition } from '../../src/tools/define-tool.ts';
import { createGuard } from '../../src/tools/guard.ts';
import { createLocalTools, type LocalTools } from '../../src/tools/local-tools.ts';
import type { QuotaLimits } from '../../src/tools/quota.ts';
import { createToolRegistry } from '../../src/tools/registry.ts';
import * as z from '../../src/tools/zod.ts';
import { memoryPorts, selfDevice, selfPeer } from './ports.ts';

const input = z.strictObject({ text: z._default(z.string(), 'hello') });
const output = z.strictObject({ text: z.string() });
type Sample = ToolDefinition<typeof input, typeof output>;

/** A tool that returns its text, unless told otherwise. */
export function sampleTool(overrides: Partial<Sample> = {}): Tool {
  return defineTool<typeof input, typeof output>({
    name: 'sample',
    category: 'test',
    title: 'Sample',
    description: 'Returns its text.',
    access: 'read',
    runtime: 'mesh',
    idempotent: false,
    timeoutMs: 1000,
    input,
    output,
    run: (_context, { text }) => Promise.resolve({ text }),
    ...overrides,
  });
}

/** The local tools of one peer around the given ones. */
export function localTools(
  tools: readonly Tool[],
  clock: Clock,
  options: { readonly limits?: QuotaLimits; readonly ports?: Ports } = {},
): LocalTools {
  const registry = createToolRegistry(tools);
  const guard = createGuard({
    registry,
    self: { peer: selfPeer, device: selfDevice },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return createLocalTools({ registry, guard, ports: options.ports ?? memoryPorts(), clock });
}

/** The TabmeshError that the work fails with; fails the test when it succeeds or throws something else. */
export async function failure(work: () => unknown): Promise<TabmeshError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TabmeshError) return error;
    throw error;
  }
  throw new Error('expected a TabmeshError, but the work succeeded');
}

/** The code that the work fails with. */
export async function failureCode(work: () => unknown): Promise<ErrorCode> {
  return (await failure(work)).code;
}

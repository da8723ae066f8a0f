import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '../../../src/contracts/workflow.ts';
import { MAX_STEPS, orderSteps } from '../../../src/workflow/dag.ts';
import { anyDag, id, step, workflow } from './support.ts';

function order(definition: WorkflowDefinition): readonly string[] {
  return orderSteps(definition).map((one) => one.id);
}

function refusal(definition: WorkflowDefinition): string {
  try {
    orderSteps(definition);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_input' });
    return (error as Error).message;
  }
}

describe('the order of steps', () => {
  it('has each step once, after all that it depends on', () => {
    fc.assert(
      fc.property(anyDag, (definition) => {
        const ids = order(definition);
        expect([...ids].sort()).toEqual(definition.steps.map((one) => one.id).sort());
        for (const { id: own, dependsOn } of definition.steps) {
          for (const dependency of dependsOn) expect(ids.indexOf(dependency)).toBeLessThan(ids.indexOf(own));
        }
      }),
    );
  });

  it('is as written where dependencies allow it', () => {
    expect(order(workflow([step('c'), step('a'), step('b')]))).toEqual(['c', 'a', 'b']);
    expect(order(workflow([step('c', ['b']), step('a'), step('b'), step('d')]))).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a definition that cannot run', () => {
  it('because of a cycle names its path, wherever the cycle is closed', () => {
    fc.assert(
      fc.property(anyDag, fc.nat(), fc.nat(), (definition, a, b) => {
        const ids = definition.steps.map((one) => one.id).sort((x, y) => Number(x.slice(1)) - Number(y.slice(1)));
        fc.pre(ids.length > 0);
        const early = ids[Math.min(a, b) % ids.length];
        const late = ids[Math.max(a, b) % ids.length];
        fc.pre(early !== undefined && late !== undefined);
        const steps = definition.steps.map((one) => {
          const extra = [...(one.id === early ? [late] : []), ...(one.id === late && late !== early ? [early] : [])];
          return { ...one, dependsOn: [...one.dependsOn, ...extra] };
        });
        const path = refusal(workflow(steps)).split(': ').at(-1)?.split(' → ') ?? [];
        expect(path.length).toBeGreaterThan(1);
        expect(path[0]).toBe(path.at(-1));
        for (const [n, from] of path.slice(0, -1).entries()) {
          expect(steps.find((one) => one.id === from)?.dependsOn).toContain(path[n + 1]);
        }
      }),
    );
  });

  it('because of a step that waits for itself says so', () => {
    expect(refusal(workflow([step('a', ['a'])]))).toContain('a → a');
  });

  it('because of a dependency that does not exist names both', () => {
    expect(refusal(workflow([step('a', ['ghost'])]))).toContain('step "a" depends on "ghost"');
  });

  it.each([
    ['two steps have the id', workflow([step('a'), step('a')])],
    ['cannot be the id', workflow([step('a.b')])],
    ['cannot be the id', workflow([step('__proto__')])],
    ['time limit', workflow([step('a', [], { timeoutMs: 0 })])],
    ['time limit', workflow([step('a', [], { timeoutMs: Number.POSITIVE_INFINITY })])],
    ['more than', workflow(Array.from({ length: MAX_STEPS + 1 }, (_, n) => step(`s${n}`)))],
  ])('says "%s"', (text, definition) => {
    expect(refusal(definition)).toContain(text);
  });

  it('because a placeholder names a step that does not come before', () => {
    const use = { inputs: { deep: ['${steps.a.result.x}'] } };
    expect(refusal(workflow([step('a'), step('b', [], use)]))).toContain('does not depend on a step "a"');
    expect(refusal(workflow([step('a'), step('b', ['a'], use)]))).toBe('');
    expect(refusal(workflow([step('a'), step('m', ['a']), step('b', ['m'], use)]))).toBe('');
    expect(refusal(workflow([step('a')], '${steps.b.result}'))).toContain('the output');
    expect(refusal(workflow([step('a')], '${steps.a.result}'))).toBe('');
  });

  it('because its input schema uses what is not understood', () => {
    const definition = { ...workflow([step('a')]), inputSchema: { type: 'object', patternProperties: {} } };
    expect(refusal(definition)).toContain('patternProperties');
  });

  it('is not one that has many steps in a row', () => {
    const chain = Array.from({ length: MAX_STEPS }, (_, n) => step(`s${n}`, n === 0 ? [] : [`s${n - 1}`]));
    expect(order(workflow(chain)).at(-1)).toBe(id(`s${MAX_STEPS - 1}`));
  });
});

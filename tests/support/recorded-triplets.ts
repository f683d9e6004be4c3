import { expect } from 'vitest';
import { factorName } from '../../src/methods/tuners/low-rank/factors.ts';
import type { ParameterLayout } from '../../src/methods/tuners/parameter-layout.ts';

/** Converts a recorded vector (for each module A, E and B) to the layout of a tuner. */
export function inLayout(
  { layout, modules }: { layout: ParameterLayout; modules: readonly { path: string }[] },
  recorded: readonly number[],
): Float32Array {
  const values = new Float32Array(layout.length);
  let start = 0;
  for (const { path } of modules) {
    for (const factor of ['A', 'E', 'B'] as const) {
      const tensor = layout.read(values, factorName(path, factor));
      tensor.set(recorded.slice(start, start + tensor.length));
      start += tensor.length;
    }
  }
  expect(start).toBe(recorded.length);
  return values;
}

import type { z } from 'zod';
import { type MethodName, methodNamed } from '../src/tuners/registry.ts';

/** Phases so long that no budget falls during a measurement. */
const SCHEDULE = { tinit: '10%', tfinal: '10%', deltaT: 10 };

/**
 * The settings of a method at a rank on some modules. Houlsby's and Pfeiffer's bottleneck has that many features.
 * VeRA keeps its own rank, because its matrices are not trained and their rank is far higher.
 */
export function methodSettings(
  method: MethodName,
  r: number,
  targets: readonly string[],
): Record<string, unknown> {
  const target_r = method === 'increlora' ? r + 1 : Math.round(r / 1.5);
  const all: Record<string, unknown> = {
    ...{ r, init_r: r, target_r, bottleneck: r, ...SCHEDULE },
    ...{ orth_reg_weight: 0.1, target_modules: [...targets] },
  };
  const { config } = methodNamed(method);
  const { shape = {} } = (config ?? {}) as Partial<z.ZodObject>;
  const known = Object.entries(all).filter(([key]) => key in shape);
  return Object.fromEntries(method === 'vera' ? known.filter(([key]) => key !== 'r') : known);
}

import type { z } from 'zod';
import { type MethodName, methodNamed } from '../src/methods/tuners/registry.ts';

/** Phases so long that no budget falls during a measurement. */
const SCHEDULE = { tinit: '10%', tfinal: '10%', deltaT: 10 };

/**
 * The section of a method in a config, at a rank on some modules; empty for methods without settings. Houlsby's and Pfeiffer's bottleneck has that many features.
 *
 * @param options more settings of the method
 */
export function methodSection(
  method: MethodName,
  r: number,
  targets: readonly string[],
  options: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const all: Record<string, unknown> = {
    r,
    init_r: r,
    target_r: Math.round(r / 1.5),
    bottleneck: r,
    ...SCHEDULE,
    orth_reg_weight: 0.1,
    target_modules: [...targets],
  };
  const schema: z.ZodObject | undefined = methodNamed(method).config;
  if (!schema) return {};
  const section = Object.fromEntries(Object.entries(all).filter(([key]) => key in schema.shape));
  return { [method]: { ...section, ...options } };
}

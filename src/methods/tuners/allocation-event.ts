import { z } from 'zod';

/** The decision of a step that changes the budget, as stored in the event log. */
export const allocationSchema = z.object({
  step: z.int().min(0),
  /** Number of kept triplets (or doublets), over all modules. */
  budget: z.int().min(0),
  /** The lowest score kept. */
  threshold: z
    .number()
    .nullish()
    .transform((score) => score ?? Number.NaN),
  /** Whether this pattern is final. */
  final: z.boolean(),
  /** Number of kept components, by module name. */
  ranks: z.record(z.string(), z.int().min(0)),
  /**
   * Importance of every triplet as a decimal logarithm with two digits; null for zero. Modules are in the order of
   * `ranks`. Each has its largest score first, so the first `ranks[module]` scores are those of kept triplets.
   */
  scores: z.array(z.array(z.number().nullable())).optional(),
});

export type AllocationEvent = z.output<typeof allocationSchema>;

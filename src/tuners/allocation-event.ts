import { z } from 'zod';

/** What a step that moves the budget decided, as the event log keeps it. */
export const allocationSchema = z.object({
  step: z.int().min(0),
  /** Triplets (or doublets) kept, over all modules. */
  budget: z.int().min(0),
  /** The least score kept. */
  threshold: z
    .number()
    .nullish()
    .transform((score) => score ?? Number.NaN),
  /** Whether this pattern is for good. */
  final: z.boolean(),
  /** How many of them by module name. */
  ranks: z.record(z.string(), z.int().min(0)),
  /**
   * Importance of every triplet as a decimal logarithm, two digits; null for none. Modules in the order of `ranks`, in
   * each the greatest first: those kept are the first of as many as its rank says.
   */
  scores: z.array(z.array(z.number().nullable())).optional(),
});

export type AllocationEvent = z.output<typeof allocationSchema>;

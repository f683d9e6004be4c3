import { z } from 'zod';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { BudgetForms, BudgetUnit, Components } from './allocation/budget.ts';
import type { Tuner } from './tuner.ts';

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

/** Arrays that a method keeps between steps. Numbers are arrays of length one. */
export type MethodState = Record<string, Float32Array | Uint8Array | Int32Array>;

/**
 * Moves the trained vector to the layout of the run's new tuner. Element i comes from element `indices[i]`; for -1, it is
 * a new zero.
 */
export interface Relayout {
  indices: Int32Array;
  /** Sets the new elements of the moved values. */
  begin?(values: Float32Array): void;
}

/** The budget of a run, and its schedule in optimizer steps. */
export interface Budget {
  /** The units that are kept or dropped. */
  components: Components;
  /**
   * The number of components at the start and at the end. If the budget has another unit, the final number is
   * approximate.
   */
  initial: number;
  target: number;
  tinit: number;
  tfinal: number;
  deltaT: number;
  /** The unit of the budget. In this unit, the final budget is exact. */
  unit: BudgetUnit;
  /** The initial and final budget in every unit. */
  forms: { initial: BudgetForms; target: BudgetForms };
  /** Sentences about the values that were rounded. */
  rounded: readonly string[];
  /** A sentence about the parts of the schedule that the config omits, and their values. */
  assumed?: string;
}

/**
 * Computes the gradient of a run's loss, averaged over some batches, at the given values of the measurement's tuner.
 */
export type GradientAt = (values: Float32Array) => Promise<Float32Array>;

/** The rows [rows, width] that some linear modules read. */
export interface ModuleInput {
  /** The modules that read them, in the order of the model. */
  paths: readonly string[];
  width: number;
  rows: Float32Array;
}

/** The inputs of linear modules without dropout, in an endless stream of the run's batches. Padding is omitted. */
export type InputsOf = (paths: readonly string[]) => AsyncIterable<readonly ModuleInput[]>;

/** A measurement that a method makes before the first step. The run's `tuner` may change afterwards. */
export interface Measurement {
  /** The tuner whose gradients it requests. */
  tuner: Tuner;
  /** Number of optimizer steps to average in a gradient, from the run's first step on. */
  steps: number;
  /** The measured quantity, as the beginning of a sentence about ranks. */
  measures: string;
  /**
   * Measures and decides.
   *
   * @param initial the tuner's values at the start of a run
   * @returns the decision; its `pattern` has keys that other tools can train from
   */
  settle(
    seed: number,
    initial: Float32Array,
    gradientAt: GradientAt,
    inputsOf: InputsOf,
  ): Promise<MeasuredAllocation>;
}

export interface MeasuredAllocation {
  allocation: AllocationEvent;
  pattern: Readonly<Record<string, unknown>>;
  /** Replaces initial values of the run's tuner. */
  begin?(values: Float32Array): void;
}

/** A method during training: its work around the optimizer's step. Steps count from 1. */
export interface MethodRun {
  /** The current tuner. It changes with the layout of the vector. */
  readonly tuner: Tuner;
  /** Runs before the first step, unless the run resumes. */
  readonly measurement?: Measurement;
  /**
   * Called before the optimizer's step, with the accumulated and clipped gradient.
   *
   * @param watched the statistics that the tuner watches: means over the step's batches
   */
  beforeStep?(step: number, values: Float32Array, gradient: Float32Array, watched?: Float32Array): void;
  /** Called after the optimizer's step. It may change `values`. */
  afterStep?(step: number, values: Float32Array, gradient: Float32Array): AfterStep;
  /** The budget of the run, if the method has one. */
  readonly budget?: Budget;
  /** A sentence about the parts of a schedule that the config omits, for methods with a schedule but no budget. */
  readonly assumed?: string | undefined;
  /** The budget at a step, for the log. */
  budgetAt?(step: number): number;
  /** Whether the trained values have their final size. Only then can a state become the best one. */
  readonly settled: boolean;
  /** The rank of each adapted module. Empty for methods without ranks. */
  ranks(): Record<string, number>;
  /** Number of the adapter's trained values at these ranks, if it differs from the tuner's. */
  keptParameters?(): number;
  /** @throws UserError if the run ended before its ranks were final */
  assertComplete?(): void;
  state(): MethodState;
  restore(state: MethodState): void;
  /**
   * Stores trained values of a base model as an adapter. Missing if the model itself is trained.
   *
   * @param labels class names by id, for files that have them; missing for tasks without labels
   */
  store?(values: Float32Array, baseModel: string, labels?: readonly string[]): StoredAdapter;
}

/** The components of a module at an allocation, by their index in the initial factors. */
export interface ComponentImportance {
  module: string;
  scores: Float64Array;
  /** 1 for each kept component. */
  kept: Uint8Array;
}

export interface AfterStep {
  allocation?: AllocationEvent;
  /** The scores at every allocation, for methods that score components. */
  importance?: readonly ComponentImportance[];
  relayout?: Relayout;
}

/** A run of a method that only trains. Its ranks, if any, are constant. */
export function staticRun(
  tuner: Tuner,
  { ranks = {}, store }: { ranks?: Record<string, number>; store?: MethodRun['store'] } = {},
): MethodRun {
  return { tuner, settled: true, ranks: () => ranks, state: () => ({}), restore: () => {}, store };
}

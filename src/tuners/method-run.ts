import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import type { BudgetForms } from './allocation/budget-costs.ts';
import type { Components } from './allocation/components.ts';
import type { BudgetUnit } from './allocation/units.ts';
import type { AllocationEvent } from './allocation-event.ts';
import type { Tuner } from './tuner.ts';

/** Arrays that a method keeps between steps; numbers as arrays of one. */
export type MethodState = Record<string, Float32Array | Uint8Array | Int32Array>;

/** The trained vector moves to the layout of `tuner`: element i comes from element `indices[i]`. */
export interface Relayout {
  tuner: Tuner;
  indices: Int32Array;
}

/** What a run may keep, and when that changes, in optimizer steps. */
export interface Budget {
  /** What is kept or dropped as one. */
  components: Components;
  /** How many at the start and in the end; in the end about as many, where the budget is in another unit. */
  initial: number;
  target: number;
  tinit: number;
  tfinal: number;
  deltaT: number;
  /** What the budget is measured in, and so exact in the end. */
  unit: BudgetUnit;
  /** The same in every unit. */
  forms: { initial: BudgetForms; target: BudgetForms };
  /** What did not come out even, in sentences. */
  rounded: readonly string[];
  /** What of the schedule the config leaves out, and what it is then, as a sentence. */
  assumed?: string;
}

/** The gradient of a run's loss, a mean over some batches, at values of a survey's tuner. */
export type GradientAt = (values: Float32Array) => Promise<Float32Array>;

/** What a method finds out before the first step. Its `tuner` may be another one afterwards. */
export interface Survey {
  /** Through which it asks for gradients. */
  tuner: Tuner;
  /** Optimizer steps' worth of batches, from the run's first on, that a gradient is a mean over. */
  steps: number;
  /**
   * @param initial the tuner's values as a run would start from
   * @returns what it decided; `pattern`: in keys that other tools train from
   */
  settle(seed: number, initial: Float32Array, gradientAt: GradientAt): Promise<Surveyed>;
}

export interface Surveyed {
  allocation: AllocationEvent;
  pattern: Readonly<Record<string, unknown>>;
}

/** A method while it trains: what it does around the optimizer's step. Steps count from 1. */
export interface MethodRun {
  /** In use now; another one after the vector has shrunk. */
  readonly tuner: Tuner;
  /** Before the first step of a run that does not go on from a state. */
  readonly survey?: Survey;
  /** Before the optimizer's step, with the accumulated and clipped gradient. */
  beforeStep?(step: number, values: Float32Array, gradient: Float32Array): void;
  /** After it; may change `values`. */
  afterStep?(step: number, values: Float32Array, gradient: Float32Array): AfterStep;
  /** For methods that have one. */
  readonly budget?: Budget;
  /** The budget at a step, for the log. */
  budgetAt?(step: number): number;
  /** Whether the trained values have the size they will be exported with: only then may a state be the best one. */
  readonly settled: boolean;
  /** Kept rank of each adapted module; empty for methods without ranks. */
  ranks(): Record<string, number>;
  /** Trained numbers of the adapter that go with these ranks, where they are not all of the tuner's. */
  keptParameters?(): number;
  /** Throws when the run was not what its name says. */
  assertComplete?(): void;
  state(): MethodState;
  restore(state: MethodState): void;
  /**
   * The adapter that trained values make of a base model; missing where the model itself is what is trained.
   *
   * @param labels class names by id, for files that have them; none for tasks without
   */
  store?(values: Float32Array, baseModel: string, labels?: readonly string[]): StoredAdapter;
}

export interface AfterStep {
  allocation?: AllocationEvent;
  /** Indices of values that have nothing to do with what stood there before: the optimizer forgets which way they went. */
  renewed?: readonly number[];
  relayout?: Relayout;
}

/** A method that does nothing but train, at constant ranks if it has any. */
export function staticRun(
  tuner: Tuner,
  { ranks = {}, store }: { ranks?: Record<string, number>; store?: MethodRun['store'] } = {},
): MethodRun {
  return { tuner, settled: true, ranks: () => ranks, state: () => ({}), restore: () => {}, store };
}

import type { AllocationEvent, ComponentImportance } from '../method-run.ts';
import { allocate, type Limits } from './allocate.ts';
import {
  componentScores,
  FORMULAS,
  magnitudeScores,
  rawSensitivity,
  scoreLogarithms,
  type TripletScore,
  updateImportance,
} from './importance.ts';
import { dropComponent, findSpan, keptCount, type PrunedModule, shifted } from './pruned-module.ts';
import { type AllocationSchedule, type BudgetSettings, budgetAt, finalStep, masksAt } from './schedule.ts';

/** Everything that a checkpoint needs for an exact resume. */
export interface AllocatorState {
  /**
   * Averages, with one element per value of the adapter. Empty if the score needs no averages, and after the pattern is
   * final.
   */
  sensitivity: Float32Array;
  uncertainty: Float32Array;
  /** 1 for each kept component, in the order of modules. Empty before the first allocation. */
  pattern: Uint8Array;
  /** Number of masking steps so far. */
  allocations: number;
  /** Whether the pattern is final. */
  done: boolean;
}

export interface AllocatorConfig {
  /** Smoothing factors of the sensitivity and the uncertainty. */
  beta1: number;
  beta2: number;
  /**
   * How the score of a scalar w is computed from its averages of importance:
   * - `sensitivity-uncertainty`: Ī · Ū (equation 9 of AdaLoRA);
   * - `signal-to-noise`: Ī / (Ū + ε), not in the paper;
   * - `sensitivity-over-uncertainty`: (Ī + ε) / (Ū + ε), from IGU-LoRA;
   * - `sensitivity`: |w g| of the last step;
   * - `magnitude`: |λ| alone.
   */
  score: TripletScore;
  /** The curve of the budget. Default: cubic. */
  schedule?: BudgetSettings['curve'];
  shrink: 'at-final' | 'at-export';
}

/** The named scores, and what each needs at a step: the two averages, the gradient, or nothing. */
const OBSERVED = {
  'sensitivity-uncertainty': 'averages',
  'signal-to-noise': 'averages',
  'sensitivity-over-uncertainty': 'averages',
  sensitivity: 'gradient',
  magnitude: 'nothing',
} as const satisfies Record<TripletScore, string>;

/** The decision of an allocation, and the scores of all components. */
interface Allocated {
  event: AllocationEvent;
  importance: readonly ComponentImportance[];
}

/** The final budget: a number of components, or their cost. */
interface AllocatorBudget extends Limits {
  target: number;
}

/**
 * The rank allocator of AdaLoRA over a flat vector of trained values (Zhang et al., 2023, section 3.2 and algorithm 1).
 * It is independent of the model, and prunes doublets by the same rules as triplets.
 *
 * After each step of the optimizer, the trainer calls {@link observe} with the accumulated, clipped gradient and then
 * {@link allocate}. So importance is measured at the values that the optimizer left, as in PEFT; the paper measures it
 * before the step. For a step with a non-finite gradient, neither is called. Steps count from 1. If the final step itself is skipped,
 * the next step makes the pattern final.
 */
export class RankAllocator {
  readonly #modules: readonly PrunedModule[];
  readonly #config: AllocatorConfig;
  readonly #budget: BudgetSettings;
  readonly #limits: Limits;
  /** The adapter's values are in [start, end) of the vector. Offsets of modules count from start. */
  readonly #start: number;
  readonly #end: number;
  /** Total number of components. */
  readonly #count: number;
  #state: AllocatorState;

  constructor(
    modules: readonly PrunedModule[],
    config: AllocatorConfig,
    schedule: AllocationSchedule,
    { target, ...limits }: AllocatorBudget,
  ) {
    [this.#start, this.#end] = findSpan(modules);
    this.#modules = modules.map((module) => shifted(module, -this.#start));
    this.#config = config;
    this.#count = modules.reduce((sum, { rank }) => sum + rank, 0);
    const initial = limits.cost?.(modules.map(({ rank }) => rank)) ?? this.#count;
    this.#budget = { ...schedule, initialBudget: initial, targetBudget: target, curve: config.schedule };
    this.#limits = limits;
    const span = this.#end - this.#start;
    this.#state = {
      sensitivity: new Float32Array(OBSERVED[config.score] === 'nothing' ? 0 : span),
      uncertainty: new Float32Array(OBSERVED[config.score] === 'averages' ? span : 0),
      pattern: new Uint8Array(0),
      allocations: 0,
      done: false,
    };
  }

  /** Whether the pattern is final. */
  get done(): boolean {
    return this.#state.done;
  }

  /** Number of masking steps so far. If it is 0 at the end, the run has trained without pruning. */
  get allocations(): number {
    return this.#state.allocations;
  }

  /** The budget at `step`, in the unit of the target. */
  budgetAt(step: number): number {
    return budgetAt(step, this.#budget);
  }

  /** Updates the averages with one step's gradient. As in PEFT, the final step allocates without updating them. */
  observe(step: number, values: Float32Array, gradient: Float32Array): void {
    if (this.#state.done || step >= finalStep(this.#budget)) return;
    const { sensitivity, uncertainty } = this.#state;
    const { score, beta1, beta2 } = this.#config;
    const w = values.subarray(this.#start, this.#end);
    const g = gradient.subarray(this.#start, this.#end);
    const observed = OBSERVED[score];
    if (observed === 'averages')
      updateImportance({ values: w, gradient: g, sensitivity, uncertainty }, { beta1, beta2 });
    else if (observed === 'gradient') rawSensitivity(w, g, sensitivity);
  }

  /**
   * At a masking step, chooses the components to keep, zeroes the others in `values` and returns the decision. Dropped
   * components stay trainable and may return until the pattern is final. After that, `shrink: at-export` zeroes them at
   * every step, as PEFT does. With `at-final`, the caller removes them, and `values` does not change.
   */
  allocate(step: number, values: Float32Array): Allocated | undefined {
    const w = values.subarray(this.#start, this.#end);
    if (this.#state.done) {
      if (this.#config.shrink === 'at-export') this.#mask(w);
      return undefined;
    }
    const final = step >= finalStep(this.#budget);
    if (!final && !masksAt(step, this.#budget)) return undefined;
    const scores = this.#scores(w);
    const { keep, count, threshold } = allocate(scores, this.budgetAt(step), this.#limits);
    const importance = scores.map((scored, k) => ({
      module: this.#modules[k]!.name,
      scores: scored,
      kept: keep[k]!,
    }));
    this.#state.pattern = Uint8Array.from(keep.flatMap((module) => [...module]));
    this.#state.allocations++;
    this.#mask(w);
    if (final) this.#finish();
    const ranks = keep.map((module, k) => [this.#modules[k]!.name, keptCount(module)]);
    const logarithms = scores.map(scoreLogarithms);
    const event = {
      step,
      budget: count,
      threshold,
      final,
      ranks: Object.fromEntries(ranks),
      scores: logarithms,
    };
    return { event, importance };
  }

  /** The kept components of each module, in the order of the constructor. Before the first allocation, all are kept. */
  keep(): Uint8Array[] {
    const { pattern } = this.#state;
    let start = 0;
    return this.#modules.map(({ rank }) => {
      const end = start + rank;
      const module = pattern.length > 0 ? pattern.slice(start, end) : new Uint8Array(rank).fill(1);
      start = end;
      return module;
    });
  }

  /** The state itself, not a copy. The next step changes it. */
  state(): AllocatorState {
    return this.#state;
  }

  /** Restores the state of an allocator with the same modules and config. */
  restore(state: AllocatorState): void {
    const { sensitivity, uncertainty, pattern, allocations, done } = state;
    const span = (length: number) => (done ? 0 : length);
    const fits =
      sensitivity.length === span(this.#state.sensitivity.length) &&
      uncertainty.length === span(this.#state.uncertainty.length) &&
      pattern.length === (allocations > 0 ? this.#count : 0);
    if (!fits) throw new Error('RankAllocator: the state belongs to other modules or another score');
    this.#state = { sensitivity, uncertainty, pattern, allocations, done };
  }

  #scores(values: Float32Array): Float64Array[] {
    if (this.#config.score === 'magnitude')
      return this.#modules.map((module) => magnitudeScores(module, values));
    const { sensitivity, uncertainty } = this.#state;
    const scoreOf = FORMULAS[this.#config.score](sensitivity, uncertainty);
    return this.#modules.map((module) => componentScores(module, scoreOf));
  }

  #mask(values: Float32Array): void {
    let component = 0;
    for (const module of this.#modules) {
      for (let i = 0; i < module.rank; i++) {
        if (this.#state.pattern[component++] === 0) dropComponent(module, i, values);
      }
    }
  }

  #finish(): void {
    this.#state.done = true;
    this.#state.sensitivity = new Float32Array(0);
    this.#state.uncertainty = new Float32Array(0);
  }
}

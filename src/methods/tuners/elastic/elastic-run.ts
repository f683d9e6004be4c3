import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { roundHalfEven } from '../../../support/numbers.ts';
import { Random } from '../../../support/random.ts';
import { scoreLogarithms } from '../allocation/importance.ts';
import { movedIndices } from '../allocation/pruned-module.ts';
import { type AllocationSchedule, alongCurve, finalStep } from '../allocation/schedule.ts';
import { factorsIn, listRanks, setColumn } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import type { AfterStep, MethodRun, MethodState, Relayout } from '../method-run.ts';

/** The factors of a new triplet. */
export interface NewTriplet {
  a: ArrayLike<number>;
  b: ArrayLike<number>;
  lambda: number;
}

/** The change of one module: the old indices of the triplets to keep, then the new triplets. */
export interface ModuleChange {
  kept: readonly number[];
  added: readonly NewTriplet[];
}

/** Moves the trained vector from the triplets of `before` to those of `tuner`. */
export function changedTriplets(
  before: LowRankTuner,
  tuner: LowRankTuner,
  changes: readonly ModuleChange[],
): Relayout {
  const sources = changes.map(({ kept, added }) => [...kept, ...added.map(() => -1)]);
  const indices = movedIndices(before.modules, sources, before.layout, tuner.layout);
  return { indices, begin: (moved) => plant(tuner, moved, changes) };
}

/** Writes the factors of new triplets. */
function plant(
  { layout, modules }: LowRankTuner,
  values: Float32Array,
  changes: readonly ModuleChange[],
): void {
  modules.forEach(({ path, rank, inFeatures }, k) => {
    const { kept, added } = changes[k]!;
    const { A, E, B } = factorsIn(layout, values, path);
    added.forEach((triplet, i) => {
      const at = kept.length + i;
      A.set(triplet.a, at * inFeatures);
      E![at] = triplet.lambda;
      setColumn(B, rank, at, triplet.b);
    });
  });
}

/** How many ranks move at once. */
interface Movement {
  b: number;
  schedule: 'cubic' | 'constant';
}

/** The number of ranks that move at a step. 0 at steps without a move. Steps count from 1. */
export function movedRanks(
  step: number,
  schedule: AllocationSchedule,
  { b, schedule: curve }: Movement,
): number {
  const { tinit, deltaT } = schedule;
  const end = finalStep(schedule);
  if (step <= tinit || step >= end || (step - tinit) % deltaT !== 0) return 0;
  const share = (step - tinit) / (end - tinit);
  return roundHalfEven(alongCurve(curve === 'cubic' ? 'late-cubic' : curve, share, b, 0));
}

/** How a method moves ranks between modules during training. */
export interface RankPolicy {
  /** Called after the optimizer's step, until ranks are final. */
  afterStep?(values: Float32Array, gradient: Float32Array): void;
  /** Decides which ranks move: one change per module, and the scores behind them. `b` is their maximum number. */
  decide(
    b: number,
    step: number,
    tuner: LowRankTuner,
    values: Float32Array,
  ): { changes: readonly ModuleChange[]; scores: readonly Iterable<number>[] };
  /** Moves the policy's state to the new layout. */
  move?(indices: Int32Array): void;
  state?(): MethodState;
  restore?(state: MethodState): void;
}

/** The parts that differ between elastic methods. */
interface ElasticMethod {
  /** A tuner with all modules at their initial rank. */
  tuner: LowRankTuner;
  schedule: AllocationSchedule;
  movement: Movement;
  policy: RankPolicy;
  /** See {@link MethodRun.assumed}. */
  assumed?: string;
  store(tuner: LowRankTuner, values: Float32Array, baseModel: string): StoredAdapter;
}

/**
 * A method in which modules gain and lose triplets during training. The trained vector has only the current triplets,
 * so each change rebuilds the graph.
 */
export class ElasticRun implements MethodRun {
  tuner: LowRankTuner;
  readonly #method: ElasticMethod;
  #step = 0;

  constructor(method: ElasticMethod) {
    this.#method = method;
    this.tuner = method.tuner;
  }

  get assumed(): string | undefined {
    return this.#method.assumed;
  }

  get settled(): boolean {
    return this.#step >= finalStep(this.#method.schedule);
  }

  afterStep(step: number, values: Float32Array, gradient: Float32Array): AfterStep {
    const { policy, schedule, movement } = this.#method;
    this.#step = step;
    if (this.settled) return {};
    policy.afterStep?.(values, gradient);
    const b = movedRanks(step, schedule, movement);
    if (b === 0) return {};
    const { changes, scores } = policy.decide(b, step, this.tuner, values);
    const before = this.tuner;
    this.tuner = this.#at(changes.map(({ kept, added }) => kept.length + added.length));
    const relayout = changedTriplets(before, this.tuner, changes);
    policy.move?.(relayout.indices);
    const ranks = this.ranks();
    return {
      allocation: {
        step,
        ranks,
        final: this.#isLastMove(),
        threshold: Number.NaN,
        budget: Object.values(ranks).reduce((a, b) => a + b, 0),
        scores: scores.map(scoreLogarithms),
      },
      relayout,
    };
  }

  /** Whether no ranks move after this step. */
  #isLastMove(): boolean {
    const { schedule, movement } = this.#method;
    for (let later = this.#step + 1; later < finalStep(schedule); later++)
      if (movedRanks(later, schedule, movement) > 0) return false;
    return true;
  }

  ranks(): Record<string, number> {
    return listRanks(this.tuner.modules);
  }

  state(): MethodState {
    const ranks = Int32Array.from(this.tuner.modules, ({ rank }) => rank);
    return { ...this.#method.policy.state?.(), ranks, step: Int32Array.of(this.#step) };
  }

  restore({ ranks, step, ...own }: MethodState): void {
    this.tuner = this.#at([...ranks!]);
    this.#step = step![0]!;
    this.#method.policy.restore?.(own);
  }

  store(values: Float32Array, baseModel: string): StoredAdapter {
    return this.#method.store(this.tuner, values, baseModel);
  }

  #at(ranks: readonly number[]): LowRankTuner {
    const { tuner } = this.#method;
    return tuner.withModules(tuner.modules.map((module, k) => ({ ...module, rank: ranks[k]! })));
  }
}

/** Returns standard normal numbers for a vector of a module at a step. */
export type Draw = (what: string, step: number, length: number) => ArrayLike<number>;

/** Draws numbers that depend on the run's seed. */
export function seeded(seed: number): Draw {
  return (what, step, length) => new Random(seed, `grow ${what}`, step).normals(length, 1);
}

import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { gatherValues, isSampled } from '../../../support/numbers.ts';
import { UserError } from '../../../support/user-error.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import type { AfterStep, Budget, MethodRun, MethodState } from '../method-run.ts';
import { adapterParameters } from '../tuner.ts';
import { type AllocatorConfig, RankAllocator } from './allocator.ts';
import type { PromisedBudget } from './promised-budget.ts';
import { keptCount, keptIndices, prunedModules } from './pruned-module.ts';
import {
  type AllocationSchedule,
  assumedPhases,
  finalStep,
  maskingSteps,
  type PruningConfig,
  type ScheduleConfig,
} from './schedule.ts';

/** Maximum number of allocations in a run's log, besides the final one. With `deltaT: 1` there are thousands. */
const MAX_TOLD = 64;

/**
 * Whether the log records the allocation at a masking step. It records all if there are few, otherwise the first, the
 * final one and evenly spaced ones between.
 */
export function isTold(step: number, schedule: AllocationSchedule): boolean {
  if (step >= finalStep(schedule)) return true;
  const { tinit, deltaT } = schedule;
  const count = Math.floor(step / deltaT) - Math.floor(tinit / deltaT);
  return isSampled(count, maskingSteps(schedule), MAX_TOLD);
}

/** The parts that differ between pruning methods. */
interface AllocatedMethod {
  /** Its name in a config. */
  method: string;
  /** The tuner at the start of the run. */
  tuner: LowRankTuner;
  settings: AllocatorConfig & PruningConfig & Pick<ScheduleConfig, 'tinit' | 'tfinal'>;
  schedule: AllocationSchedule;
  budget: PromisedBudget;
  /** Minimum rank of every module. Default: 0. */
  minRank?: number;
  /** Stores trained values of a base model as an adapter. The values have the layout of the kept components' tuner. */
  store(kept: KeptComponents, values: Float32Array, baseModel: string): StoredAdapter;
}

interface KeptComponents {
  /** The tuner. After the pattern is final, it has only the kept components. */
  tuner: LowRankTuner;
  /** For each module, 1 for every initial component that is kept. */
  keep: readonly Uint8Array[];
  /** Whether the pattern is final. */
  settled: boolean;
}

/**
 * A method that prunes during training. It passes values and gradients to the allocator, and removes dropped components
 * when the pattern is final.
 */
export class AllocatedRun implements MethodRun {
  tuner: LowRankTuner;
  readonly #method: AllocatedMethod;
  readonly #allocator: RankAllocator;

  constructor(method: AllocatedMethod) {
    const { tuner, settings, schedule, budget, minRank } = method;
    this.#method = method;
    this.tuner = tuner;
    // If all components cost the same, the allocator only needs their number.
    const cost = budget.unit === 'components' ? undefined : budget.cost;
    this.#allocator = new RankAllocator(prunedModules(tuner), settings, schedule, {
      target: budget.target,
      cost,
      minRank,
    });
  }

  get settled(): boolean {
    return this.#allocator.done;
  }

  afterStep(step: number, values: Float32Array, gradient: Float32Array): AfterStep {
    this.#allocator.observe(step, values, gradient);
    const allocated = this.#allocator.allocate(step, values);
    const allocation = isTold(step, this.#method.schedule) ? allocated?.event : undefined;
    const decided = { allocation, ...(allocated && { importance: allocated.importance }) };
    if (!allocation?.final || this.#method.settings.shrink === 'at-export') return decided;
    const { layout, modules } = this.tuner;
    const keep = this.#allocator.keep();
    this.tuner = shrunk(this.tuner, keep);
    const indices = keptIndices(modules, keep, layout, this.tuner.layout);
    return { ...decided, relayout: { indices } };
  }

  get budget(): Budget {
    const { schedule, budget, settings } = this.#method;
    const { tinit, tfinal, deltaT } = schedule;
    const { unit, components, initial, final, rounded } = budget;
    return {
      initial: initial.components,
      target: final.components,
      tinit,
      tfinal,
      deltaT,
      unit,
      components,
      forms: { initial, target: final },
      rounded,
      assumed: assumedPhases(settings, schedule),
    };
  }

  /**
   * The number of components that may be kept at a step. If the budget has another unit, it is the number kept last.
   */
  budgetAt(step: number): number {
    if (this.#method.budget.unit === 'components') return this.#allocator.budgetAt(step);
    return this.#allocator.keep().reduce((sum, module) => sum + keptCount(module), 0);
  }

  ranks(): Record<string, number> {
    const keep = this.#allocator.keep();
    return Object.fromEntries(this.#method.tuner.modules.map(({ path }, k) => [path, keptCount(keep[k]!)]));
  }

  keptParameters(): number {
    return adapterParameters(shrunk(this.#method.tuner, this.#allocator.keep()));
  }

  assertComplete(): void {
    if (this.#allocator.done) return;
    throw new UserError({
      where: this.#method.method,
      fault: `ended after ${this.#allocator.allocations} allocations without the final one`,
      hint: 'Every step near the end was skipped, because its gradient was not finite. Lower training.learning_rate.',
    });
  }

  state(): MethodState {
    const { sensitivity, uncertainty, pattern, allocations, done } = this.#allocator.state();
    return {
      sensitivity,
      uncertainty,
      pattern,
      progress: Int32Array.of(allocations, Number(done)),
    };
  }

  restore(state: MethodState): void {
    const [allocations, done] = state.progress!;
    this.#allocator.restore({
      sensitivity: state.sensitivity as Float32Array,
      uncertainty: state.uncertainty as Float32Array,
      pattern: state.pattern as Uint8Array,
      allocations: allocations!,
      done: done === 1,
    });
    if (this.settled && this.#method.settings.shrink === 'at-final') {
      this.tuner = shrunk(this.#method.tuner, this.#allocator.keep());
    }
  }

  /** Stores the kept components. Before the pattern is final, the adapter has all components, as in PEFT. */
  store(values: Float32Array, baseModel: string): StoredAdapter {
    const keep = this.#allocator.keep();
    const { settled } = this;
    if (!settled || this.#method.settings.shrink === 'at-final') {
      return this.#method.store({ tuner: this.tuner, keep, settled }, values, baseModel);
    }
    const tuner = shrunk(this.tuner, keep);
    const kept = gatherValues(values, keptIndices(this.tuner.modules, keep, this.tuner.layout, tuner.layout));
    return this.#method.store({ tuner, keep, settled }, kept, baseModel);
  }
}

/** The tuner without the dropped components. */
function shrunk(tuner: LowRankTuner, keep: readonly Uint8Array[]): LowRankTuner {
  return tuner.withModules(tuner.modules.map((module, k) => ({ ...module, rank: keptCount(keep[k]!) })));
}

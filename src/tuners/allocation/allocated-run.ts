import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { gather } from '../../support/gather.ts';
import { UserError } from '../../support/user-error.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import { factorName } from '../low-rank/factors.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import type { AfterStep, Budget, MethodRun, MethodState } from '../method-run.ts';
import type { TunableModel } from '../tuner.ts';
import type { AdaLoraTuner } from './adalora-tuner.ts';
import { RankAllocator } from './allocator.ts';
import type { AllocationSchedule } from './budget.ts';
import { isTold } from './is-told.ts';
import { keptCount } from './kept-count.ts';
import { keptIndices } from './kept-indices.ts';

/** AdaLoRA while it trains: feeds the allocator, and removes the dropped triplets once the pattern is final. */
export class AdaLoraRun implements MethodRun {
  tuner: AdaLoraTuner;
  readonly #model: TunableModel;
  readonly #initial: AdaLoraTuner;
  readonly #allocator: RankAllocator;
  readonly #schedule: AllocationSchedule;

  constructor(model: TunableModel, tuner: AdaLoraTuner, schedule: AllocationSchedule) {
    this.#model = model;
    this.tuner = tuner;
    this.#initial = tuner;
    this.#schedule = schedule;
    this.#allocator = new RankAllocator(tuner.triplets, tuner.config, schedule);
  }

  get settled(): boolean {
    return this.#allocator.done;
  }

  beforeStep(step: number, values: Float32Array, gradient: Float32Array): void {
    if (this.#timing === 'before-step') this.#allocator.observe(step, values, gradient);
  }

  afterStep(step: number, values: Float32Array, gradient: Float32Array): AfterStep {
    if (this.#timing === 'after-step') this.#allocator.observe(step, values, gradient);
    const allocated = this.#allocator.allocate(step, values);
    const allocation = isTold(step, this.#schedule) ? allocated : undefined;
    if (!allocation?.final || this.tuner.config.shrink === 'at-export') return { allocation };
    const { layout, modules } = this.tuner;
    const keep = this.#allocator.keep();
    this.tuner = this.tuner.shrink(keep);
    return {
      allocation,
      relayout: { tuner: this.tuner, indices: keptIndices(modules, keep, layout, this.tuner.layout) },
    };
  }

  get budget(): Budget {
    const { tinit, tfinal, deltaT, totalStep } = this.#schedule;
    const [initial, target] = [this.budgetAt(0), this.budgetAt(totalStep)];
    return { initial, target, tinit, tfinal, deltaT };
  }

  budgetAt(step: number): number {
    return this.#allocator.budgetAt(step);
  }

  ranks(): Record<string, number> {
    const keep = this.#allocator.keep();
    return Object.fromEntries(this.#initial.modules.map(({ path }, k) => [path, keptCount(keep[k])]));
  }

  assertComplete(): void {
    if (this.#allocator.done) return;
    throw new UserError({
      where: 'adalora',
      expected: 'the budget to have been allocated by the end of the run',
      got: `${this.#allocator.allocations} allocations and no final one`,
      hint: 'Every step near the end was skipped, for its gradient was not finite: lower training.learning_rate.',
    });
  }

  state(): MethodState {
    const { sensitivity, uncertainty, pattern, allocations, done } = this.#allocator.state();
    return { sensitivity, uncertainty, pattern, progress: Int32Array.of(allocations, Number(done)) };
  }

  restore(state: MethodState): void {
    const [allocations, done] = state.progress;
    this.#allocator.restore({
      sensitivity: state.sensitivity as Float32Array,
      uncertainty: state.uncertainty as Float32Array,
      pattern: state.pattern as Uint8Array,
      allocations,
      done: done === 1,
    });
    if (this.settled && this.#initial.config.shrink === 'at-final') {
      this.tuner = this.#initial.shrink(this.#allocator.keep());
    }
  }

  /**
   * The kept triplets, and in `rank_pattern` which of the initial ones they are. Before the pattern is final the adapter has
   * all triplets and no pattern, as PEFT's has.
   */
  store(values: Float32Array, baseModel: string): StoredAdapter {
    const { config, modules, layout } = this.tuner;
    const keep = this.#allocator.keep();
    const kept = this.settled && config.shrink === 'at-export' ? this.tuner.shrink(keep) : this.tuner;
    const compact =
      kept === this.tuner ? values : gather(values, keptIndices(modules, keep, layout, kept.layout));
    const flags = modules.map(
      ({ path }, k) => [factorName(path, 'E'), Array.from(keep[k], Boolean)] as const,
    );
    const { tinit, tfinal, deltaT, totalStep } = this.#schedule;
    const targets = this.#model.definition.targetModules.adalora;
    const adapter = exportAdapter(
      { model: this.#model, config, targets, modules, layout: kept.layout, values: compact, baseModel },
      {
        peft_type: 'ADALORA',
        ...{ tinit, tfinal, deltaT, total_step: totalStep },
        rank_pattern: this.settled ? Object.fromEntries(flags) : null,
      },
    );
    return asStored(adapter);
  }

  get #timing() {
    return this.#initial.config.importance_timing;
  }
}

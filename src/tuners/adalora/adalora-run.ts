import { UserError } from '../../support/user-error.ts';
import type { AfterStep, MethodRun, MethodState } from '../method-run.ts';
import type { AdaLoraTuner } from './adalora-tuner.ts';
import { RankAllocator } from './allocator.ts';
import type { AllocationSchedule } from './budget.ts';
import { isTold } from './is-told.ts';
import { keptCount } from './kept-count.ts';
import { keptIndices } from './kept-indices.ts';

/** AdaLoRA while it trains: feeds the allocator, and removes the dropped triplets once the pattern is final. */
export class AdaLoraRun implements MethodRun {
  tuner: AdaLoraTuner;
  readonly #initial: AdaLoraTuner;
  readonly #allocator: RankAllocator;
  readonly #schedule: AllocationSchedule;

  constructor(tuner: AdaLoraTuner, schedule: AllocationSchedule) {
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

  /** The kept triplets of each module at the initial rank: PEFT's `rank_pattern`. */
  keep(): Uint8Array[] {
    return this.#allocator.keep();
  }

  get #timing() {
    return this.#initial.config.importance_timing;
  }
}

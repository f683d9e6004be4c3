import { gather } from '../../support/gather.ts';
import type { AllocationSchedule } from '../allocation/budget.ts';
import { finalStep } from '../allocation/budget.ts';
import { componentScores } from '../allocation/component-scores.ts';
import { updateImportance } from '../allocation/importance.ts';
import { prunedModules } from '../allocation/pruned-module.ts';
import type { NewTriplet } from '../elastic/changed-triplets.ts';
import type { Draw } from '../elastic/draw.ts';
import type { RankPolicy } from '../elastic/elastic-run.ts';
import { isLastMove, movedRanks } from '../elastic/moved-ranks.ts';
import { factorName } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import type { MethodState } from '../method-run.ts';
import { chooseMoves } from './choose-moves.ts';
import type { ElaLoraConfig } from './config.ts';
import { newTriplet, tripletsOf } from './new-triplet.ts';

/** Removes the least important triplets, and adds triplets to modules whose least important triplets matter most. */
export class ElaLoraPolicy implements RankPolicy {
  #sensitivity: Float32Array;
  #uncertainty: Float32Array;

  constructor(
    length: number,
    readonly config: Pick<ElaLoraConfig, 'k' | 'b' | 'schedule' | 'beta1' | 'beta2'>,
    readonly schedule: AllocationSchedule,
    readonly draw: Draw,
  ) {
    this.#sensitivity = new Float32Array(length);
    this.#uncertainty = new Float32Array(length);
  }

  afterStep(step: number, _tuner: LowRankTuner, values: Float32Array, gradient: Float32Array): void {
    if (step >= finalStep(this.schedule)) return;
    const { beta1, beta2 } = this.config;
    updateImportance(
      { values, gradient, sensitivity: this.#sensitivity, uncertainty: this.#uncertainty },
      { beta1, beta2 },
    );
  }

  decide(step: number, tuner: LowRankTuner, values: Float32Array) {
    const { config, schedule } = this;
    const b = movedRanks(step, schedule, config);
    if (b === 0) return undefined;
    const scores = prunedModules(tuner).map((module) =>
      componentScores(module, (i) => this.#sensitivity[i]! * this.#uncertainty[i]!),
    );
    const changes = chooseMoves(scores, config.k, b).map(({ removed, added }, k) => {
      const { path, rank } = tuner.modules[k]!;
      const kept = Array.from({ length: rank }, (_, i) => i).filter((i) => !removed.includes(i));
      const [a, e, p] = (['A', 'E', 'B'] as const).map((factor) =>
        tuner.layout.read(values, factorName(path, factor)),
      ) as [Float32Array, Float32Array, Float32Array];
      const triplets = tripletsOf(a, e, p, kept);
      const grown: NewTriplet[] = [];
      for (let i = 0; i < added; i++) {
        const triplet = newTriplet(triplets, (what, length) =>
          this.draw(`${path} ${what} ${i}`, step, length),
        );
        grown.push(triplet);
        triplets.a.push(Float64Array.from(triplet.a));
        triplets.b.push(Float64Array.from(triplet.b));
        triplets.e = Float64Array.of(...triplets.e, triplet.lambda);
      }
      return { kept, added: grown };
    });
    return { changes, scores, final: isLastMove(step, schedule, config) };
  }

  move(indices: Int32Array): void {
    this.#sensitivity = gather(this.#sensitivity, indices);
    this.#uncertainty = gather(this.#uncertainty, indices);
  }

  state(): MethodState {
    return { sensitivity: this.#sensitivity, uncertainty: this.#uncertainty };
  }

  restore({ sensitivity, uncertainty }: MethodState): void {
    this.#sensitivity = sensitivity as Float32Array;
    this.#uncertainty = uncertainty as Float32Array;
  }
}

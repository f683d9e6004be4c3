import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { gatherValues } from '../../../support/numbers.ts';
import { UserError } from '../../../support/user-error.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { Averages, scoreLogarithms } from '../allocation/importance.ts';
import { movedIndices } from '../allocation/pruned-module.ts';
import { assumedPhases } from '../allocation/schedule.ts';
import { changedTriplets, type Draw, type ModuleChange, type NewTriplet } from '../elastic/elastic-run.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { adaLoraAlpha, adaLoraScale } from '../low-rank/patterns-and-scales.ts';
import type { AfterStep, MethodRun, MethodState } from '../method-run.ts';
import { type Growth, growsAt, type IncreLoraConfig } from './config.ts';
import { IncreLoraTuner } from './growing-injection.ts';

/**
 * The scores of modules: Ī · Ū, AdaLoRA's averages for the importance I = Σ |ΔW ∘ G| / √(in · out) (equation 9 of arXiv
 * 2308.12043, as in its released code).
 */
class ModuleScores extends Averages {
  readonly #roots: readonly number[];

  constructor(
    modules: readonly LowRankModule[],
    readonly betas: Pick<IncreLoraConfig, 'beta1' | 'beta2'>,
  ) {
    super(modules.length);
    this.#roots = modules.map(({ inFeatures, outFeatures }) => Math.sqrt(inFeatures * outFeatures));
  }

  /**
   * Updates the averages.
   *
   * @param watched Σ |ΔW ∘ G| of each module; undefined before the first step, when ΔW is zero
   */
  observe(watched?: Float32Array): void {
    const { beta1, beta2 } = this.betas;
    this.#roots.forEach((root, k) => {
      const importance = (watched?.[k] ?? 0) / root;
      const average = beta1 * this.sensitivity[k]! + (1 - beta1) * importance;
      this.sensitivity[k] = average;
      this.uncertainty[k] =
        beta2 * this.uncertainty[k]! + (1 - beta2) * Math.abs(importance - this.sensitivity[k]);
    });
  }

  scores(): Float64Array {
    return Float64Array.from(this.sensitivity.keys(), this.score);
  }
}

/** λ of triplets that are trained in advance. */
const RESERVE_LAMBDA = 1e-5;
/** Standard deviation of new factors. */
const INITIAL_STD = 0.02;

/** The settings of an IncreLoRA run. */
export interface Growing {
  /** A tuner with all modules at their initial rank. */
  tuner: AdaLoraTuner;
  config: IncreLoraConfig;
  growth: Growth;
  draw: Draw;
  store(tuner: LowRankTuner, values: Float32Array, baseModel: string): StoredAdapter;
}

/**
 * A run in which the modules with the highest scores gain triplets (Zhang et al., 2023, arXiv 2308.12043). Until the
 * ranks are final, every module has a reserve of triplets with a small constant λ. When a module grows, the λ of its
 * reserve becomes trainable, and it gets a new reserve.
 */
export class IncreLoraRun implements MethodRun {
  tuner: AdaLoraTuner;
  readonly #method: Growing;
  readonly #scores: ModuleScores;
  /** Ranks without the reserve. */
  #ranks: number[];
  #begun = false;

  constructor(method: Growing) {
    this.#method = method;
    this.tuner = method.tuner;
    this.#ranks = method.tuner.modules.map(({ rank }) => rank);
    this.#scores = new ModuleScores(method.tuner.modules, method.config);
  }

  get assumed(): string | undefined {
    const { config, growth } = this.#method;
    return assumedPhases(config, growth.schedule);
  }

  get settled(): boolean {
    return this.#total >= this.#method.growth.target;
  }

  beforeStep(_step: number, _values: Float32Array, _gradient: Float32Array, watched?: Float32Array): void {
    if (!this.settled) this.#scores.observe(watched);
  }

  afterStep(step: number, values: Float32Array): AfterStep {
    if (this.settled) return {};
    this.#holdReserve(values);
    if (growsAt(step, this.#method.growth.schedule)) return this.#grow(step);
    if (this.#begun) return {};
    const noGains = this.#ranks.map(() => 0);
    return { relayout: this.#change(noGains) };
  }

  ranks(): Record<string, number> {
    return Object.fromEntries(this.tuner.modules.map(({ path }, k) => [path, this.#ranks[k]!]));
  }

  assertComplete(): void {
    if (this.settled) return;
    throw new UserError({
      where: 'increlora',
      fault: `ended with ${this.#total} of ${this.#method.growth.target} triplets`,
      hint: 'Steps at which ranks grow were skipped, because their gradient was not finite. Lower training.learning_rate.',
    });
  }

  state(): MethodState {
    return {
      ...this.#scores.state(),
      ranks: Int32Array.from(this.#ranks),
      begun: Uint8Array.of(Number(this.#begun)),
    };
  }

  restore({ ranks, begun, ...scores }: MethodState): void {
    this.#ranks = [...ranks!];
    this.#begun = begun![0] === 1;
    this.#scores.restore(scores);
    if (this.#begun) this.tuner = this.#grown();
  }

  /** Stores the triplets without the reserve. */
  store(values: Float32Array, baseModel: string): StoredAdapter {
    const { modules, layout } = this.tuner;
    const plain = this.#at(this.#ranks);
    const kept = this.#ranks.map((rank) => upTo(rank));
    const own = gatherValues(values, movedIndices(modules, kept, layout, plain.layout));
    return this.#method.store(plain, own, baseModel);
  }

  get #total(): number {
    return this.#ranks.reduce((a, b) => a + b, 0);
  }

  get #reserve(): number {
    const { config, growth } = this.#method;
    return this.#begun && config.advance_learn && !this.settled ? growth.gained : 0;
  }

  /** Resets the constant λ of the reserve, which weight decay has changed. */
  #holdReserve(values: Float32Array): void {
    for (const { path } of this.tuner.modules) {
      const lambdas = this.tuner.layout.read(values, factorName(path, 'E'));
      lambdas.fill(RESERVE_LAMBDA, lambdas.length - this.#reserve);
    }
  }

  #grow(step: number): AfterStep {
    const { modules, gained, target, exceeds } = this.#method.growth;
    const scores = this.#scores.scores();
    let left = target - this.#total;
    const gains = this.#ranks.map(() => 0);
    const order = [...scores.keys()]
      .sort((i, j) => scores[j]! - scores[i]!)
      .slice(0, Math.min(modules, left));
    for (const k of order) {
      gains[k] = exceeds ? gained : Math.min(gained, left);
      left -= gains[k];
    }
    const relayout = this.#change(gains);
    return {
      allocation: {
        step,
        ranks: this.ranks(),
        budget: this.#total,
        final: this.settled,
        threshold: scores[order[order.length - 1]!]!,
        scores: [...scores].map((score) => scoreLogarithms([score])),
      },
      relayout,
    };
  }

  /** Adds triplets to modules. All modules keep a reserve of the same size. */
  #change(gains: readonly number[]) {
    const before = this.tuner;
    this.#ranks = this.#ranks.map((rank, k) => rank + gains[k]!);
    this.#begun = true;
    this.tuner = this.#grown();
    const changes = before.modules.map((module, k): ModuleChange => {
      const kept = Math.min(module.rank, this.tuner.modules[k]!.rank);
      const added = this.tuner.modules[k]!.rank - kept;
      return { kept: upTo(kept), added: upTo(added).map((i) => this.#newTriplet(module, kept + i)) };
    });
    return changedTriplets(before, this.tuner, changes);
  }

  /**
   * Makes a triplet with random factors.
   *
   * @param number index of the triplet in its module
   */
  #newTriplet({ path, inFeatures, outFeatures }: LowRankModule, number: number): NewTriplet {
    const { draw, config } = this.#method;
    const factor = (what: string, length: number) =>
      Array.from(draw(`${path} ${what} ${number}`, 0, length), (value) => value * INITIAL_STD);
    return {
      a: factor('row', inFeatures),
      b: factor('column', outFeatures),
      lambda: config.advance_learn ? RESERVE_LAMBDA : 0,
    };
  }

  /** Builds the tuner at the current ranks. */
  #grown(): AdaLoraTuner {
    const reserve = this.#reserve;
    const { settings, modules, saved } = this.#at(this.#ranks);
    if (this.settled) return new AdaLoraTuner(settings, modules, saved);
    const whole = modules.map((module) => ({ ...module, rank: module.rank + reserve }));
    const isLast = this.#method.config.score_batches === 'last';
    return new IncreLoraTuner(settings, whole, saved, reserve, isLast);
  }

  /** Builds a tuner with these ranks. Each module has the scale of its rank. */
  #at(ranks: readonly number[]): AdaLoraTuner {
    const { tuner, config } = this.#method;
    const modules = tuner.modules.map((module, k) => {
      const rank = ranks[k]!;
      const scale = adaLoraScale({ lora_alpha: adaLoraAlpha(config, rank), init_r: rank });
      return { ...module, rank, scale };
    });
    return tuner.withModules(modules);
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

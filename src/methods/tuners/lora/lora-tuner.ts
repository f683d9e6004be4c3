import { Random } from '../../../support/random.ts';
import { AT_START, factorGroups, factorName, type LowRankModule, parseFactor } from '../low-rank/factors.ts';
import { type Factored, LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { orthogonalityTerm } from '../low-rank/orthogonality.ts';
import { refuseTooManyVectors } from '../low-rank/orthonormal.ts';
import { checkPatternKeys, loraRank, loraScale } from '../low-rank/patterns-and-scales.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { adaptedModules, defaultTargets } from '../targets/adapted-modules.ts';
import {
  FrozenTensors,
  type ReadParameter,
  type ReadRange,
  type Regularizer,
  type TunableModel,
} from '../tuner.ts';
import { savedParameters } from '../whole-parameters.ts';
import { isRankStabilised, type LoraConfig } from './config.ts';
import {
  beginMagnitudes,
  DoraInjection,
  doraReader,
  doubledFactors,
  doubledModules,
  StartedInjection,
  UNMIXED_LENGTHS,
} from './dora-injection.ts';
import { isInt4, loftqFactors, startFactors, type WeightStart, weightStart } from './start-factors.ts';
import { readWeight } from './top-singular.ts';

/** How pairs of factors are trained. */
export type LoraSettings = Pick<LoraConfig, 'lora_dropout'> &
  Partial<
    Pick<
      LoraConfig,
      'orth_reg_weight' | 'orthogonality' | 'init_lora_weights' | 'use_dora' | 'loraplus_lr_ratio'
    >
  >;

/**
 * LoRA (Hu et al., 2022) as PEFT computes it: y += alpha / r · x Aᵀ Bᵀ. Settings select variants: LoRA + R (an
 * orthogonality term), DoRA (a magnitude), PiSSA and LoftQ (a start from the weight), LoRA+ (a learning rate for B).
 */
export class LoraTuner extends LowRankTuner {
  protected readonly diagonal = false;
  readonly regularizer?: Regularizer;
  readonly #weightStart: WeightStart | undefined;

  constructor(
    readonly settings: LoraSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const { lora_dropout, orth_reg_weight: weight = 0, orthogonality: form = 'cosine' } = settings;
    const { use_dora = false } = settings;
    const hasSay = ({ rank }: LowRankModule) => rank > (form === 'cosine' ? 1 : 0);
    const groups = weight > 0 ? factorGroups(modules.filter(hasSay)) : [];
    // The orthogonality term reads the factors at the start of the vector.
    const grouped = groups.map(({ members }) => members);
    const names = new Set(grouped.flat().map(({ name }) => name));
    const factorsOf = ({ path, rank, inFeatures, outFeatures }: LowRankModule) => ({
      a: { name: factorName(path, 'A'), shape: [rank, inFeatures] },
      b: { name: factorName(path, 'B'), shape: [outFeatures, rank] },
      magnitude: { name: factorName(path, 'M'), shape: [outFeatures] },
    });
    const factors = modules
      .map(factorsOf)
      .flatMap(({ a, b, magnitude }) => [a, b, ...(use_dora ? [magnitude] : [])]);
    const others = factors.filter(({ name }) => !names.has(name));
    super(new ParameterLayout([...grouped, ...others, ...saved]), modules, saved, lora_dropout);
    if (groups.length > 0) this.regularizer = orthogonalityTerm(groups, form, weight, 2 * modules.length);
    this.#weightStart = weightStart(settings.init_lora_weights);
    if (use_dora) this.injection = DoraInjection;
    else if (this.#weightStart) this.injection = StartedInjection;
    const atStart = ({ name, shape }: TrainedParameter) => ({ name: name + AT_START, shape });
    if (this.#weightStart)
      this.frozen = new FrozenTensors(modules.map(factorsOf).flatMap(({ a, b }) => [atStart(a), atStart(b)]));
    if (use_dora) this.bank = UNMIXED_LENGTHS;
  }

  /** Builds the tuner of a config. The patterns give each adapted module its rank and alpha. */
  static create(model: TunableModel, config: LoraConfig): LoraTuner {
    const adapted = adaptedModules(model, config, defaultTargets(model, 'few'));
    const paths = adapted.map(({ path }) => path);
    checkPatternKeys(config.rank_pattern, paths, 'lora.rank_pattern');
    checkPatternKeys(config.alpha_pattern, paths, 'lora.alpha_pattern');
    const modules = adapted.map((module) => {
      const rank = loraRank(config, module.path);
      return {
        ...module,
        rank,
        scale: loraScale({ ...config, use_rslora: isRankStabilised(config) }, module.path, rank),
      };
    });
    if (typeof config.init_lora_weights === 'string') refuseTooManyVectors(modules, 'lora.init_lora_weights');
    return new LoraTuner(config, modules, savedParameters(model, config, adapted));
  }

  withModules(modules: readonly LowRankModule[]): LoraTuner {
    return new LoraTuner(this.settings, modules, this.saved);
  }

  /**
   * The learning rate of B as a multiple of A's (Hayou et al., 2024, arXiv 2402.12354). As in PEFT, it also applies to
   * vectors.
   */
  rateOf({ name, shape }: TrainedParameter): number {
    return parseFactor(name)?.factor === 'B' || shape.length === 1
      ? (this.settings.loraplus_lr_ratio ?? 1)
      : 1;
  }

  override factored(values: Float32Array): Factored {
    if (!this.frozen) return super.factored(values);
    const read = (name: string) =>
      this.layout.find(name) ? this.layout.read(values, name) : this.frozen!.read(name);
    const modules = doubledModules(this.modules);
    const { layout } = new LoraTuner(
      { lora_dropout: 0, use_dora: this.settings.use_dora },
      modules,
      this.saved,
    );
    const doubled = doubledFactors(this.modules, read);
    return {
      modules,
      layout,
      values: layout.readInto(new Float32Array(layout.length), layout.segments, doubled),
    };
  }

  override merged(values: Float32Array, readBase: ReadRange): ReadRange {
    const sum = super.merged(values, readBase);
    return this.settings.use_dora ? doraReader(this.factored(values), sum) : sum;
  }

  /** Computes the frozen tensors from the weights, for factors that come from a file. */
  takeStart(seed: number, read: ReadParameter): void {
    if (!this.#weightStart) return;
    for (const module of this.modules) {
      const { a, b } = startFactors(this.#weightStart, module, read(...readWeight(module)), seed);
      this.frozen!.read(factorName(module.path, 'A') + AT_START).set(a);
      this.frozen!.read(factorName(module.path, 'B') + AT_START).set(b);
    }
  }

  /**
   * Draws A uniformly within ±1 / √in (PEFT's Kaiming initialization with a = √5), and sets B to zero. If the config
   * selects a start from the weight, A and B are computed from the weight.
   */
  protected initializeFactors(values: Float32Array, seed: number, read: ReadParameter): void {
    this.takeStart(seed, read);
    if (this.settings.use_dora) beginMagnitudes(this, values, read);
    for (const module of this.modules) {
      const { path, inFeatures } = module;
      const name = factorName(path, 'A');
      if (this.#weightStart) {
        for (const factor of [name, factorName(path, 'B')])
          this.layout.read(values, factor).set(this.frozen!.read(factor + AT_START));
        continue;
      }
      if (this.settings.init_lora_weights === 'loftq' && isInt4(module)) {
        const { a, b } = loftqFactors(module, read(...readWeight(module)));
        this.layout.read(values, name).set(a);
        this.layout.read(values, factorName(path, 'B')).set(b);
        continue;
      }
      const random = new Random(seed, `init ${name}`);
      const bound = 1 / Math.sqrt(inFeatures);
      const a = this.layout.read(values, name);
      for (let i = 0; i < a.length; i++) a[i] = (2 * random.uniform() - 1) * bound;
    }
  }
}

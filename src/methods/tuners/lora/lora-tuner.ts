import { Random } from '../../../support/random.ts';
import { AT_START, factorGroups, factorName, type LowRankModule, parseFactor } from '../low-rank/factors.ts';
import { type Factored, LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { factorDistances, orthogonalityTerm } from '../low-rank/orthogonality.ts';
import { refuseTooManyVectors } from '../low-rank/orthonormal.ts';
import { checkPatternKeys, loraRank, loraScale } from '../low-rank/patterns-and-scales.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { adaptedModules, defaultTargets } from '../targets/adapted-modules.ts';
import {
  type FactorDistances,
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

/** PEFT's constant that keeps the matrix invertible. */
const EPSILON = 1e-8;

/** The epsilon of PEFT's optimizer, which divides by √v + ε before the bias correction. */
const OPTIMIZER_EPSILON = 1e-6;

/** (A Aᵀ)⁻¹ of A [rank, width]. */
export function inverseGram(a: Float32Array, rank: number): Float64Array {
  const width = a.length / rank;
  const gram = Float64Array.from({ length: rank * rank }, (_, at) => {
    const [i, j] = [Math.floor(at / rank), at % rank];
    let sum = i === j ? EPSILON : 0;
    for (let k = 0; k < width; k++) sum += a[i * width + k]! * a[j * width + k]!;
    return sum;
  });
  return symmetricInverse(gram, rank);
}

/** Replaces the gradient G [out, rank] of B by G (A Aᵀ)⁻¹ / s². */
function nearestGradient(gradient: Float32Array, inverse: Float64Array, scale: number): void {
  const rank = Math.sqrt(inverse.length);
  for (let at = 0; at < gradient.length; at += rank) {
    const row = gradient.slice(at, at + rank);
    for (let i = 0; i < rank; i++) {
      let sum = 0;
      for (let j = 0; j < rank; j++) sum += row[j]! * inverse[j * rank + i]!;
      gradient[at + i] = sum / (scale * scale);
    }
  }
}

/** Inverts a symmetric positive definite matrix [size, size] by Gauss-Jordan elimination. */
function symmetricInverse(matrix: Float64Array, size: number): Float64Array {
  const left = matrix.slice();
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = 1 / left[pivot * size + pivot]!;
    for (const rows of [left, inverse]) for (let i = 0; i < size; i++) rows[pivot * size + i]! *= scale;
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + pivot]!;
      if (row === pivot || factor === 0) continue;
      for (const rows of [left, inverse])
        for (let i = 0; i < size; i++) rows[row * size + i]! -= factor * rows[pivot * size + i]!;
    }
  }
  return inverse;
}

/** How pairs of factors are trained. */
export type LoraSettings = Pick<LoraConfig, 'lora_dropout'> &
  Partial<
    Pick<
      LoraConfig,
      'orth_reg_weight' | 'orthogonality' | 'init_lora_weights' | 'use_dora' | 'loraplus_lr_ratio' | 'lorafa'
    >
  >;

/**
 * LoRA (Hu et al., 2022) as PEFT computes it: y += alpha / r · x Aᵀ Bᵀ. Settings select variants: LoRA + R (an
 * orthogonality term), DoRA (a magnitude), PiSSA, OLoRA and LoftQ (a start from the weight), LoRA-FA (a frozen A),
 * LoRA+ (a learning rate for B).
 */
export class LoraTuner extends LowRankTuner {
  protected readonly diagonal = false;
  readonly regularizer?: Regularizer;
  readonly earlyEpsilon?: number;
  readonly #weightStart: WeightStart | undefined;
  readonly #inverses = new Map<string, Float64Array>();

  constructor(
    readonly settings: LoraSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const { lora_dropout, orth_reg_weight: weight = 0, orthogonality: form = 'cosine' } = settings;
    const { use_dora = false, lorafa = false } = settings;
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
      .flatMap(({ a, b, magnitude }) => [...(lorafa ? [] : [a]), b, ...(use_dora ? [magnitude] : [])]);
    const others = factors.filter(({ name }) => !names.has(name));
    super(new ParameterLayout([...grouped, ...others, ...saved]), modules, saved, lora_dropout);
    if (groups.length > 0) this.regularizer = orthogonalityTerm(groups, form, weight, 2 * modules.length);
    this.#weightStart = weightStart(settings.init_lora_weights);
    if (use_dora) this.injection = DoraInjection;
    else if (this.#weightStart) this.injection = StartedInjection;
    const atStart = ({ name, shape }: TrainedParameter) => ({ name: name + AT_START, shape });
    if (lorafa) {
      this.earlyEpsilon = OPTIMIZER_EPSILON;
      this.frozen = new FrozenTensors(modules.map((module) => factorsOf(module).a));
    } else if (this.#weightStart)
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

  /**
   * LoRA-FA (Zhang et al., 2023, arXiv 2308.03303) as in PEFT: replaces the gradient of B by G (A Aᵀ)⁻¹ / s². Its
   * increment is the nearest to a gradient step of the whole weight.
   */
  precondition(gradient: Float32Array): void {
    if (!this.settings.lorafa) return;
    for (const { path, rank, scale } of this.modules) {
      const inverse = this.#inverses.get(path) ?? inverseGram(this.frozen!.read(factorName(path, 'A')), rank);
      this.#inverses.set(path, inverse);
      nearestGradient(this.layout.read(gradient, factorName(path, 'B')), inverse, scale);
    }
  }

  override factored(values: Float32Array): Factored {
    if (!this.frozen) return super.factored(values);
    const read = (name: string) =>
      this.layout.find(name) ? this.layout.read(values, name) : this.frozen!.read(name);
    return this.#weightStart
      ? this.#plain(doubledModules(this.modules), doubledFactors(this.modules, read))
      : this.#plain(this.modules, read);
  }

  override factorDistances(values: Float32Array): FactorDistances {
    if (!this.settings.lorafa) return super.factorDistances(values);
    const whole = this.factored(values);
    return factorDistances(this.modules, whole.layout, whole.values);
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
  protected initialiseFactors(values: Float32Array, seed: number, read: ReadParameter): void {
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
      const a = this.frozen?.read(name) ?? this.layout.read(values, name);
      for (let i = 0; i < a.length; i++) a[i] = (2 * random.uniform() - 1) * bound;
    }
    this.#inverses.clear();
  }

  #plain(modules: readonly LowRankModule[], read: (name: string) => Float32Array): Factored {
    const { use_dora } = this.settings;
    const { layout } = new LoraTuner({ lora_dropout: 0, use_dora }, modules, this.saved);
    const values = layout.readInto(new Float32Array(layout.length), layout.segments, read);
    return { modules, layout, values };
  }
}

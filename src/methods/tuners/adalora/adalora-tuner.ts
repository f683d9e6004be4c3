import { multiply } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { Random } from '../../../support/random.ts';
import { beginMagnitudes, DoraInjection, doraReader, UNMIXED_LENGTHS } from '../lora/dora-injection.ts';
import {
  type Factor,
  type FactorGroup,
  factorGroups,
  factorName,
  factorsIn,
  type LowRankModule,
  matrixRows,
  parseFactor,
  selectColumns,
  setColumn,
} from '../low-rank/factors.ts';
import { LowRankInjection, type LowRankOptions } from '../low-rank/low-rank-injection.ts';
import { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { orthogonalityTerm } from '../low-rank/orthogonality.ts';
import { orthonormalize, refuseTooManyVectors } from '../low-rank/orthonormal.ts';
import { adaLoraAlpha, adaLoraScale } from '../low-rank/patterns-and-scales.ts';
import type { AdapterSettings, ScaleConfig } from '../low-rank/peft-config.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { adaptedModules, defaultTargets } from '../targets/adapted-modules.ts';
import type { Dropout, Fraction, ReadParameter, ReadRange, Regularizer, TunableModel } from '../tuner.ts';
import { savedParameters } from '../whole-parameters.ts';

/** Standard deviation of the initial P and Q. */
const INITIAL_STD = 0.02;

/** How triplets are trained. */
export interface TripletSettings {
  lora_dropout: number;
  /** The weight γ of the orthogonality term. */
  orth_reg_weight: number;
  /** How P and Q are initialized. Undefined if they come from a file. */
  init?: 'normal' | 'orthonormal';
  initial_lambda?: number;
  /** Whether modules have a magnitude (DoRA). */
  use_dora?: boolean;
  /** Number of points at which gradients are taken. Default: 1, without a path. */
  path_points?: number;
}

/**
 * AdaLoRA (Zhang et al., 2023): y += alpha / init_r · x Qᵀ diag(λ) Pᵀ. Q, λ and P have PEFT's names. Settings select
 * other forms: with DoRA's magnitude, y = x (m / ‖V‖ · V)ᵀ + b with V = W + s P diag(λ) Q, or with gradients at points of
 * a path.
 */
export class AdaLoraTuner extends LowRankTuner {
  protected readonly diagonal = true;
  readonly regularizer: Regularizer;

  constructor(
    readonly settings: TripletSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const { lora_dropout, orth_reg_weight, use_dora = false, path_points = 1 } = settings;
    const magnitudes = modules.map(({ path, outFeatures }) => ({
      name: factorName(path, 'M'),
      shape: [outFeatures],
    }));
    const { layout, groups } = tripletLayout(modules, use_dora ? [...magnitudes, ...saved] : saved);
    super(layout, modules, saved, lora_dropout);
    this.regularizer = orthogonalityTerm(groups, 'mean-norm', orth_reg_weight, 2 * modules.length);
    if (path_points > 1) this.injection = PathInjection;
    if (use_dora) {
      this.injection = DoraInjection;
      this.bank = UNMIXED_LENGTHS;
    }
  }

  /** Builds the tuner at the start of a run. Every adapted module has `init_r` triplets; `init_r` must be set. */
  static create(
    model: TunableModel,
    config: AdapterSettings & TripletSettings & ScaleConfig & { init_r?: number },
  ): AdaLoraTuner {
    const { init_r: rank } = config;
    if (rank === undefined)
      throw new Error('init_r follows from the budget, which is to be worked out before');
    const scale = adaLoraScale({ lora_alpha: adaLoraAlpha(config, rank), init_r: rank });
    const modules = adaptedModules(model, config, defaultTargets(model, 'many')).map((module) => ({
      ...module,
      rank,
      scale,
    }));
    if (config.init === 'orthonormal')
      refuseTooManyVectors(modules, "init: orthonormal of the method's section");
    return new AdaLoraTuner(config, modules, savedParameters(model, config, modules));
  }

  /** After ranks are final, the kept triplets train without the path. */
  withModules(modules: readonly LowRankModule[]): AdaLoraTuner {
    return new AdaLoraTuner({ ...this.settings, path_points: 1 }, modules, this.saved);
  }

  override merged(values: Float32Array, readBase: ReadRange): ReadRange {
    const sum = super.merged(values, readBase);
    return this.settings.use_dora ? doraReader(this.factored(values), sum) : sum;
  }

  protected override options(dropout: Dropout, fraction?: Fraction): PathOptions {
    const { path_points: points = 1 } = this.settings;
    // A function, because the network does not exist before the first increment is built.
    return { ...super.options(dropout), fraction: () => fraction?.(points) };
  }

  /**
   * Draws P and Q from a normal distribution with standard deviation 0.02. λ is usually zero, so the increment is zero at
   * first. With `orthonormal`, P and Q are then orthonormalized (the columns of P, the rows of Q). The result is
   * uniform over all such matrices (Saxe et al., 2014, arXiv 1312.6120).
   */
  protected initializeFactors(values: Float32Array, seed: number, read: ReadParameter): void {
    const { init, initial_lambda = 0, use_dora } = this.settings;
    for (const { path, rank } of this.modules) {
      const { A, E, B } = factorsIn(this.layout, values, path);
      E!.fill(initial_lambda);
      const random = (factor: Factor) => new Random(seed, `init ${factorName(path, factor)}`);
      A.set(random('A').normals(A.length, INITIAL_STD));
      B.set(random('B').normals(B.length, INITIAL_STD));
      if (init !== 'orthonormal') continue;
      orthonormalize(matrixRows(A, rank)).forEach((row, i) => A.set(row, i * row.length));
      orthonormalize(selectColumns(B, rank)).forEach((column, i) => setColumn(B, rank, i, column));
    }
    if (use_dora) beginMagnitudes(this, values, read);
  }
}

/**
 * The layout of triplets in the vector. Factors A and B are grouped by shape, in order of first occurrence. All A of
 * one width form a stack. Their λ form a stack in the same order, so that one product computes λ A for all of them.
 */
export function tripletLayout(
  modules: readonly LowRankModule[],
  saved: readonly TrainedParameter[],
): { layout: ParameterLayout; groups: FactorGroup[] } {
  const groups = factorGroups(modules.filter(({ rank }) => rank > 0));
  const rows = groups.filter(({ side }) => side === 'rows');
  const columns = groups.filter(({ side }) => side === 'columns');
  const stacks = [...new Set(rows.map(measureWidth))].map((width) =>
    rows.filter((group) => measureWidth(group) === width),
  );
  const ofA = stacks.map((own) => own.flatMap(({ members }) => members));
  const empty = modules.filter(({ rank }) => rank === 0);
  const layout = new ParameterLayout([
    ...ofA,
    ...columns.map(({ members }) => members),
    ...factorGroups(empty).flatMap(({ members }) => members),
    ...ofA.map((members) => members.map(describeLambdas)),
    ...empty.map(({ path }) => ({ name: factorName(path, 'E'), shape: [0] })),
    ...saved,
  ]);
  return { layout, groups: [...stacks.flat(), ...columns] };
}

function measureWidth({ members }: FactorGroup): number {
  return members[0]!.shape[1]!;
}

/** The λ of the triplets in a factor A. */
function describeLambdas({ name, shape: [rank] }: TrainedParameter): TrainedParameter {
  return { name: factorName(parseFactor(name)!.path, 'E'), shape: [rank!] };
}

/** Options with the random fraction α in training, []. */
interface PathOptions extends LowRankOptions {
  fraction(): Value | undefined;
}

/**
 * Increments at a random point of the straight path from zero to the factors. P, λ and Q times α give the increment
 * times α³. The mean of the gradients over the steps is an integrated gradient (Cui et al., ICLR 2026, arXiv 2603.13792).
 */
class PathInjection extends LowRankInjection {
  declare readonly options: PathOptions;

  override increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    const whole = super.increments(paths, x);
    const alpha = this.options.fraction();
    if (!alpha) return whole;
    const cube = multiply(multiply(alpha, alpha), alpha);
    return whole.map((increment) => increment && multiply(increment, cube));
  }
}

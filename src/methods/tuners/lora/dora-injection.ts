import {
  add,
  concat,
  divide,
  matmul,
  multiply,
  reshape,
  sqrt,
  stopGradient,
  subtract,
  sum,
  transpose,
} from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { FrozenModule } from '../../../models/nn/network.ts';
import { elementCount } from '../../../support/arrays.ts';
import { AT_START, factorName, type LowRankModule, parseFactor } from '../low-rank/factors.ts';
import { LowRankInjection } from '../low-rank/low-rank-injection.ts';
import type { Factored } from '../low-rank/low-rank-tuner.ts';
import type { ReadParameter, ReadRange } from '../tuner.ts';
import { readWeight, WeightMatrix } from './top-singular.ts';

type Read = (name: string) => Float32Array;

/**
 * Modules of plain LoRA with twice the rank, at the same scale. The second half subtracts the initial increment, so
 * that the adapter fits the original weight.
 */
export function doubledModules(modules: readonly LowRankModule[]): LowRankModule[] {
  return modules.map((module) => ({ ...module, rank: 2 * module.rank }));
}

/** The factors [B, -B₀] and [A; A₀] of these modules, as PEFT converts them. */
export function doubledFactors(modules: readonly LowRankModule[], read: Read): Read {
  const ranks = new Map(modules.map(({ path, rank }) => [path, rank]));
  return (name) => {
    const now = read(name);
    const own = parseFactor(name);
    if (!own || own.factor === 'M') return now;
    const start = read(name + AT_START);
    if (own.factor === 'A') return Float32Array.from([...now, ...start]);
    const rank = ranks.get(own.path)!;
    return Float32Array.from({ length: 2 * now.length }, (_, i) => {
      const [row, column] = [Math.floor(i / (2 * rank)), i % (2 * rank)];
      return column < rank ? now[row * rank + column]! : -start[row * rank + column - rank]!;
    });
  };
}

/** PEFT's settings for these modules: twice the rank, at the same scale. */
export function doubledKeys(config: {
  r: number;
  lora_alpha: number;
  use_rslora: boolean;
  rank_pattern: Readonly<Record<string, number>>;
  alpha_pattern: Readonly<Record<string, number>>;
}) {
  const factor = config.use_rslora ? Math.SQRT2 : 2;
  const times = (pattern: Readonly<Record<string, number>>, factor: number) =>
    Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, value * factor]));
  return {
    init_lora_weights: true,
    r: 2 * config.r,
    lora_alpha: config.lora_alpha * factor,
    rank_pattern: times(config.rank_pattern, 2),
    alpha_pattern: times(config.alpha_pattern, factor),
  };
}

/**
 * LoRA that starts from a part of the weight. The module computes with W - s B₀ A₀ instead of W. The stored weight does
 * not change, because the initial increment is subtracted from the current increment. Without initial factors it is
 * plain LoRA.
 */
export class StartedInjection extends LowRankInjection {
  protected override products(paths: readonly string[], x: Value): (Value | undefined)[] {
    return super.products(paths, x).map((increment, i) => {
      const start = this.start(paths[i]!);
      const scale = this.modules.get(paths[i]!)?.scale;
      if (!increment || !start || scale === undefined) return increment;
      const taken = matmul(matmul(x, start.a, { transposeB: true }), start.b, { transposeB: true, scale });
      return subtract(increment, taken);
    });
  }

  /** A module's initial factors A₀ and B₀. */
  protected start(path: string): { a: Value; b: Value } | undefined {
    const { frozen } = this.options;
    const [a, b] = [factorName(path, 'A') + AT_START, factorName(path, 'B') + AT_START];
    if (!frozen?.layout.find(a)) return undefined;
    const { graph } = this.flat.node;
    return { a: frozen.value(graph, a), b: frozen.value(graph, b) };
  }
}

/** Why a bank has no form for it. */
export const UNMIXED_LENGTHS = 'divides each row of its weights by the length of that row (DoRA)';

/**
 * DoRA (Liu et al., ICML 2024, arXiv 2402.09353). V = W + s B A gives the direction of each row, and a trained
 * magnitude m gives its length: y = x (m / ‖V‖ · V)ᵀ + b. The gradient treats the lengths ‖V‖ as constants (section
 * 4.3). In training, dropout applies to the input of every term except W x, as in PEFT. With a diagonal, A is diag(λ) Q
 * and B is P.
 */
export class DoraInjection extends StartedInjection {
  /** The input of each module after dropout, and its increment. */
  readonly #seen = new Map<string, { x: Value; increment: Value }>();

  override increments(paths: readonly string[], x: Value): [] {
    const dropped = this.options.dropout(x);
    this.products(paths, dropped).forEach((increment, i) => {
      if (increment) this.#seen.set(paths[i]!, { x: dropped, increment });
    });
    return [];
  }

  output(path: string, y: Value, x: Value, module?: FrozenModule): Value | undefined {
    const seen = this.#seen.get(path);
    const own = this.modules.get(path);
    if (!seen || !own || !module) return undefined;
    const magnitude = this.layout.value(this.flat, factorName(path, 'M'));
    const share = divide(magnitude, this.#lengths(own, module));
    const product = module.product(seen.x);
    const turned = multiply(share, add(product, seen.increment));
    if (seen.x !== x) return add(y, subtract(turned, product));
    return module.bias ? add(turned, module.bias) : turned;
  }

  /** ‖V‖ of each row, as the root of ‖w‖² + 2 s (A w)·b + s² ‖Aᵀ b‖². So V is not computed, and W may have integers. */
  #lengths({ path, rank, scale }: LowRankModule, module: FrozenModule): Value {
    const [whole, right] = (['A', 'B'] as const).map((factor) =>
      stopGradient(this.layout.value(this.flat, factorName(path, factor))),
    ) as [Value, Value];
    const left = this.options.diagonal
      ? multiply(whole, stopGradient(reshape(this.layout.value(this.flat, factorName(path, 'E')), [rank, 1])))
      : whole;
    // With a start from the weight, V = W + s [B, -B₀] [A; A₀].
    const start = this.start(path);
    const a = start ? concat([left, start.a], 0) : left;
    const b = start ? concat([right, multiply(start.b, -1)], 1) : right;
    const norms = module.norms();
    const across = sum(multiply(transpose(module.product(a), [1, 0]), b), [1]);
    const own = sum(multiply(matmul(b, matmul(a, a, { transposeB: true })), b), [1]);
    const squares = add(
      multiply(norms, norms),
      add(multiply(across, 2 * scale), multiply(own, scale * scale)),
    );
    return sqrt(squares);
  }
}

/** Sets each magnitude to the length of its weight row, so that the model does not change at first. */
export function beginMagnitudes(
  { modules, layout }: Pick<Factored, 'modules' | 'layout'>,
  values: Float32Array,
  read: ReadParameter,
): void {
  for (const module of modules) {
    const norms = new WeightMatrix(module, read(...readWeight(module))).norms();
    layout.read(values, factorName(module.path, 'M')).set(norms);
  }
}

/**
 * Reads a model's parameters with DoRA merged: each row of V = W + s B A, rescaled to its magnitude.
 *
 * @param read returns V in memory that may be overwritten
 */
export function doraReader({ modules, layout, values }: Factored, read: ReadRange): ReadRange {
  const adapted = new Map(modules.map((module) => [`${module.path}.weight`, module]));
  const shares = new Map<string, Float64Array>();
  const sharesOf = (name: string, module: LowRankModule) => {
    const known = shares.get(name);
    if (known) return known;
    const magnitude = layout.read(values, factorName(module.path, 'M'));
    const whole = read(name, 0, elementCount([module.outFeatures, module.inFeatures]));
    const made = new WeightMatrix(module, whole).norms().map((norm, row) => magnitude[row]! / norm);
    shares.set(name, made);
    return made;
  };
  return (name, start, end) => {
    const range = read(name, start, end);
    const module = adapted.get(name);
    if (!module) return range;
    const share = sharesOf(name, module);
    const { inFeatures, outFeatures, transposed } = module;
    for (let i = 0; i < range.length; i++) {
      const at = start + i;
      range[i]! *= share[transposed ? at % outFeatures : Math.floor(at / inFeatures)]!;
    }
    return range;
  };
}

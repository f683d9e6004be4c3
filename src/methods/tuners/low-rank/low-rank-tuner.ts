import { add, matmul } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import {
  asRows,
  type BankedPart,
  type BankedPiece,
  type BankForm,
  byToken,
  findTokens,
  separateExamples,
  tokenRows,
} from '../bank/bank-form.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import type {
  Dropout,
  FactorDistances,
  Fraction,
  FrozenTensors,
  ReadParameter,
  ReadRange,
  TunedSite,
  Tuner,
} from '../tuner.ts';
import { mergedParameters } from '../whole-parameters.ts';
import { factorName, factorsIn, type LowRankModule } from './factors.ts';
import { LowRankInjection, type LowRankOptions, multiplyFactors } from './low-rank-injection.ts';
import { factorDistances } from './orthogonality.ts';

/** Increments y += x Aᵀ B, [rank, in] and [rank, out]. A includes λ, and B includes the scale. */
const FACTORS: BankForm = {
  key: 'factors',
  inject(reader, sizes) {
    // `linear` sets it; it is called before `increments`.
    const outFeatures = new Map<string, number>();
    /** Low-rank products of modules that read the same x, [batch, tokens, outFeatures], by path. */
    const products = (paths: readonly string[], x: Value): Map<string, Value> => {
      const adapted = paths
        .flatMap((path) => ({ path, rank: sizes.get(path) ?? 0 }))
        .filter(({ rank }) => rank);
      if (adapted.length === 0) return new Map();
      const inFeatures = x.shape[1] as number;
      const ranks = adapted.reduce((sum, { rank }) => sum + rank, 0);
      const names = adapted.map(({ path }) => path).join(' ');
      const a = reader.read(`A ${names}`, [ranks, inFeatures], (pieces, slot) => {
        let row = 0;
        for (const { path, rank } of adapted) {
          slot.set(pieces.get(path)?.tensors.a ?? [], row * inFeatures);
          row += rank;
        }
      });
      return multiplyFactors(separateExamples(x), a, adapted, (inner, { path, rank }) => {
        const shape = [rank, outFeatures.get(path) as number];
        return matmul(
          inner,
          reader.read(`B ${path}`, shape, (pieces, slot) => slot.set(pieces.get(path)?.tensors.b ?? [])),
        );
      });
    };
    return {
      linear(module) {
        outFeatures.set(module.path, module.outFeatures);
        return undefined;
      },
      increments(paths, x) {
        // `output` turns outputs that all examples share into outputs per example.
        const made = findTokens(x) === undefined ? undefined : products(paths, x);
        return paths.map((path) => {
          const product = made?.get(path);
          return product && asRows(product);
        });
      },
      output(path, y, x) {
        const product = findTokens(x) === undefined ? products([path], x).get(path) : undefined;
        return product && tokenRows(add(byToken(y), byToken(asRows(product))));
      },
    };
  },
};

/** The factors of each module of rank 1 or more. */
export function bankedFactors({ modules, layout, values }: Factored): BankedPart {
  const pieces = new Map<string, BankedPiece>();
  for (const { path, rank, scale, inFeatures, outFeatures } of modules) {
    if (rank === 0) continue;
    const { A, E, B } = factorsIn(layout, values, path);
    pieces.set(path, {
      size: rank,
      tensors: {
        a: A.map((x, i) => x * (E?.[Math.floor(i / inFeatures)] ?? 1)),
        b: Float32Array.from({ length: rank * outFeatures }, (_, i) => {
          const [k, row] = [Math.floor(i / outFeatures), i % outFeatures];
          return scale * B[row * rank + k]!;
        }),
      },
    });
  }
  return { form: FACTORS, pieces };
}

/**
 * Reads the parameters of a model with its adapter merged. An adapted weight is W + s B diag(E) A. A fully trained
 * parameter has its trained value. All other parameters are the base model's. Any range can be read, so that no tensor
 * need be in memory as a whole. The sum is computed in 64 bits.
 *
 * @param readBase must return memory of its own, which is changed
 */
export function mergedReader({ layout, modules, values }: Factored, readBase: ReadRange): ReadRange {
  const adapted = new Map(modules.map((module) => [`${module.path}.weight`, module]));
  return mergedParameters(layout, values, readBase, (range, name, start) => {
    const module = adapted.get(name);
    if (module) addIncrement(range, start, module, layout, values);
  });
}

/** Adds a module's increment to its weight. `range` has the elements from `start` on. */
function addIncrement(
  range: Float32Array,
  start: number,
  { path, rank, scale, inFeatures, outFeatures, transposed }: LowRankModule,
  layout: ParameterLayout,
  values: Float32Array,
): void {
  const { A, E, B } = factorsIn(layout, values, path);
  const end = start + range.length;
  const width = transposed ? outFeatures : inFeatures;
  for (let row = Math.floor(start / width); row * width < end; row++) {
    const from = Math.max(start, row * width);
    const to = Math.min(end, (row + 1) * width);
    const sum = Float64Array.from(range.subarray(from - start, to - start));
    const column = from - row * width;
    for (let k = 0; k < rank; k++) {
      const factor = scale * (E ? E[k]! : 1);
      if (transposed) {
        const own = factor * A[k * inFeatures + row]!;
        for (let i = 0; i < sum.length; i++) sum[i]! += own * B[(column + i) * rank + k]!;
      } else {
        const own = factor * B[row * rank + k]!;
        for (let i = 0; i < sum.length; i++) sum[i]! += own * A[k * inFeatures + column + i]!;
      }
    }
    range.set(sum, from - start);
  }
}

/** All factors of the increments, trained and frozen. */
export interface Factored {
  modules: readonly LowRankModule[];
  layout: ParameterLayout;
  values: Float32Array;
}

/** The common part of LoRA and AdaLoRA: low-rank increments, and other parameters that are trained in full. */
export abstract class LowRankTuner implements Tuner {
  readonly sites: readonly TunedSite[];
  /** Whether modules have a diagonal between their factors. */
  protected abstract readonly diagonal: boolean;
  frozen?: FrozenTensors;
  bank: Tuner['bank'] = (values) => ({
    parts: [bankedFactors(this.factored(values))],
    saved: this.saved,
  });
  /** The class that adds the factors to a network. */
  protected injection = LowRankInjection;

  constructor(
    readonly layout: ParameterLayout,
    readonly modules: readonly LowRankModule[],
    /** Parameters of the model that are trained in full: the head, biases. */
    readonly saved: readonly TrainedParameter[],
    readonly dropout: number,
  ) {
    const trained = (path: string) =>
      (['A', 'B', 'M'] as const).reduce((sum, factor) => {
        const { start, end } = layout.find(factorName(path, factor)) ?? { start: 0, end: 0 };
        return sum + end - start;
      }, 0);
    this.sites = modules.map(({ path }) => ({ path, parameters: trained(path) }));
  }

  initialValues(seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length);
    this.initializeFactors(values, seed, read);
    return this.layout.readInto(values, this.saved, read);
  }

  /** The tuner with the same settings and these modules. */
  abstract withModules(modules: readonly LowRankModule[]): LowRankTuner;

  /** Sets the initial factors in a vector of zeros. */
  protected abstract initializeFactors(values: Float32Array, seed: number, read: ReadParameter): void;

  inject(flat: Value, dropout: Dropout, layout = this.layout, fraction?: Fraction): LowRankInjection {
    return new this.injection(layout, flat, this.modules, this.options(dropout, fraction));
  }

  /** The options of the increments in a network. */
  protected options(dropout: Dropout, _fraction?: Fraction): LowRankOptions {
    return {
      diagonal: this.diagonal,
      dropout: (x) => dropout(x, this.dropout),
      frozen: this.frozen,
    };
  }

  /** The factors of the increments, as an adapter file stores them. */
  factored(values: Float32Array): Factored {
    return { modules: this.modules, layout: this.layout, values };
  }

  factorDistances(values: Float32Array): FactorDistances {
    return factorDistances(this.modules, this.layout, values);
  }

  merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return mergedReader(this.factored(values), readBase);
  }
}

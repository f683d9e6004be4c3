import type { Value } from '../../graph/graph.ts';
import type { Banked } from '../banked.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import type { FactorDistances, ReadParameter, ReadRange, TunedSite, Tuner } from '../tuner.ts';
import { bankedFactors } from './banked-factors.ts';
import { factorDistances } from './factor-distances.ts';
import type { LowRankModule } from './factors.ts';
import { LowRankInjection } from './low-rank-injection.ts';
import { mergedReader } from './merged-reader.ts';

/** The common part of LoRA and AdaLoRA: low-rank increments, and fully trained parameters beside them. */
export abstract class LowRankTuner implements Tuner {
  readonly sites: readonly TunedSite[];
  /** Whether modules have a diagonal between their factors. */
  protected abstract readonly diagonal: boolean;

  constructor(
    readonly layout: ParameterLayout,
    readonly modules: readonly LowRankModule[],
    /** Parameters of the model that are fully trained: the head, biases. */
    readonly saved: readonly TrainedParameter[],
    readonly dropout: number,
  ) {
    this.sites = modules.map(({ path, rank, inFeatures, outFeatures }) => ({
      path,
      parameters: rank * (inFeatures + outFeatures),
    }));
  }

  initialValues(seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length);
    this.initialiseFactors(values, seed);
    for (const { name, shape } of this.saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  /** The tuner with the same settings and these modules. */
  abstract withModules(modules: readonly LowRankModule[]): LowRankTuner;

  /** Fills in the initial factors of a vector of zeros. */
  protected abstract initialiseFactors(values: Float32Array, seed: number): void;

  inject(
    flat: Value,
    dropout: (x: Value, probability: number) => Value,
    layout = this.layout,
  ): LowRankInjection {
    return new LowRankInjection(layout, flat, this.modules, {
      diagonal: this.diagonal,
      dropout: (x) => dropout(x, this.dropout),
    });
  }

  factorDistances(values: Float32Array): FactorDistances {
    return factorDistances(this.modules, this.layout, values);
  }

  merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return mergedReader(this, values, readBase);
  }

  banked(values: Float32Array): Banked {
    return { factors: bankedFactors(this, values), saved: this.saved.map(({ name }) => name) };
  }
}

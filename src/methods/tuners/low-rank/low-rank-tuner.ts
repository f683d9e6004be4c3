import type { Value } from '../../../engine/graph/graph.ts';
import type { FrozenTensors } from '../frozen-tensors.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import type { FactorDistances, ReadParameter, ReadRange, TunedSite, Tuner } from '../tuner.ts';
import { bankedFactors } from './banked-factors.ts';
import { factorDistances } from './factor-distances.ts';
import { factorName, type LowRankModule } from './factors.ts';
import { LowRankInjection } from './low-rank-injection.ts';
import { mergedReader } from './merged-reader.ts';

/** All factors of the increments, trained and frozen. */
export interface Factored {
  modules: readonly LowRankModule[];
  layout: ParameterLayout;
  values: Float32Array;
}

/** What LoRA and AdaLoRA have in common: low-rank increments, and other parameters that are trained in full. */
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
    this.initialiseFactors(values, seed, read);
    for (const { name, shape } of this.saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  /** The tuner with the same settings and these modules. */
  abstract withModules(modules: readonly LowRankModule[]): LowRankTuner;

  /** Sets the initial factors in a vector of zeros. */
  protected abstract initialiseFactors(values: Float32Array, seed: number, read: ReadParameter): void;

  inject(
    flat: Value,
    dropout: (x: Value, probability: number) => Value,
    layout = this.layout,
  ): LowRankInjection {
    return new this.injection(layout, flat, this.modules, {
      diagonal: this.diagonal,
      dropout: (x) => dropout(x, this.dropout),
      frozen: this.frozen,
    });
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

import type { Value } from '../../engine/graph/graph.ts';
import type { Injection } from '../../models/nn/network.ts';
import type { Banked } from './bank/bank-form.ts';
import { ParameterLayout, type TrainedParameter } from './parameter-layout.ts';
import type { ReadParameter, ReadRange, TunedSite, Tuner } from './tuner.ts';

/** Trains some of the model's own parameters in full. */
export class WholeParameters implements Tuner {
  readonly layout: ParameterLayout;
  /** @param sites the modules that count as adapted; empty if the whole model is trained */
  constructor(
    parameters: readonly TrainedParameter[],
    readonly sites: readonly TunedSite[] = [],
  ) {
    this.layout = new ParameterLayout(parameters);
  }

  /** Reads the initial values from the checkpoint. */
  initialValues(_seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length);
    for (const { name, shape } of this.layout.segments) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  inject(flat: Value): Injection {
    return {
      parameter: (name) => this.layout.find(name) && this.layout.value(flat, name),
      increments: (paths) => paths.map(() => undefined),
    };
  }

  merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return (name, start, end) =>
      this.layout.find(name)
        ? this.layout.read(values, name).subarray(start, end)
        : readBase(name, start, end);
  }

  readonly bank = (): Banked => ({ parts: [], saved: this.layout.segments });
}

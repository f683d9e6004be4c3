import type { Value } from '../../graph/graph.ts';
import type { Injection } from '../../nn/network.ts';
import { ParameterLayout } from '../parameter-layout.ts';
import type { ReadParameter, TunableModel, Tuner } from '../tuner.ts';

/** Full fine-tuning: every parameter of the model is trained. */
export class FullTuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly modules = [];

  constructor(model: TunableModel) {
    this.layout = new ParameterLayout([...model.parameters].map(([name, shape]) => ({ name, shape })));
  }

  initialValues(_seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length);
    for (const { name, shape } of this.layout.segments) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  inject(flat: Value): Injection {
    return {
      parameter: (name) => this.layout.value(flat, name),
      increments: (paths) => paths.map(() => undefined),
    };
  }
}

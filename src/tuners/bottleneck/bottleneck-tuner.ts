import type { Value } from '../../graph/graph.ts';
import { elementCount } from '../../support/element-count.ts';
import { Random } from '../../support/random.ts';
import type { Banked } from '../bank/bank-form.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter, TunedSite, Tuner } from '../tuner.ts';
import { bankedBottlenecks } from './banked-bottlenecks.ts';
import { type BottleneckForm, BottleneckInjection } from './bottleneck-injection.ts';
import { type BottleneckSite, siteParameters } from './bottleneck-site.ts';

/** Standard deviation of the initial projections, as in AdapterHub and BERT. */
const INITIAL_DEVIATION = 0.02;

/**
 * Bottleneck adapters after sublayers: a projection down, an activation and a projection up. The result is added to h.
 * They cannot be merged, because no parameter of the model can represent them.
 */
export class BottleneckTuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly sites: readonly TunedSite[];
  readonly #own: readonly TrainedParameter[];

  constructor(
    /** The positions of the adapters. */
    readonly places: readonly BottleneckSite[],
    /** Parameters of the model that are trained in full: the head. */
    readonly saved: readonly TrainedParameter[],
    readonly form: BottleneckForm,
  ) {
    this.#own = places.flatMap(siteParameters);
    this.layout = new ParameterLayout([...this.#own, ...saved]);
    this.sites = places.map((site) => ({
      path: site.sublayer.path,
      parameters: siteParameters(site).reduce((sum, { shape }) => sum + elementCount(shape), 0),
    }));
  }

  /** Draws the projections from a normal distribution and sets their biases to zero. */
  initialValues(seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length);
    for (const { name, shape } of this.#own) {
      if (shape.length < 2) continue;
      const random = new Random(seed, `init ${name}`);
      this.layout.read(values, name).set(random.normals(elementCount(shape), INITIAL_DEVIATION));
    }
    for (const { name, shape } of this.saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  inject(flat: Value): BottleneckInjection {
    return new BottleneckInjection(this.layout, flat, this.form);
  }

  readonly bank = (values: Float32Array): Banked => ({
    parts: [bankedBottlenecks(this, values)],
    saved: this.saved,
  });
}

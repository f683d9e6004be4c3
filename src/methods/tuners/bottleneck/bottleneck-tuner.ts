import { add } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { activation } from '../../../models/nn/activation.ts';
import { elementCount } from '../../../support/element-count.ts';
import { Random } from '../../../support/random.ts';
import {
  type Banked,
  type BankedPart,
  type BankedPiece,
  type BankForm,
  sharedByAll,
} from '../bank/bank-form.ts';
import { asRows, byExample, tokensOf } from '../bank/bank-rows.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter, TunedSite, Tuner } from '../tuner.ts';
import { type BottleneckForm, BottleneckInjection, bottleneck, inputOf } from './bottleneck-injection.ts';
import {
  type BottleneckPart,
  type BottleneckSite,
  PART_NAMES,
  partName,
  siteParameters,
} from './bottleneck-site.ts';

const bankForm = ({ reads, nonLinearity }: BottleneckForm): BankForm => ({
  key: `bottleneck of ${reads}, ${nonLinearity}`,
  inject: (reader, rooms) => ({
    sublayer({ path, width }, h, end) {
      const size = rooms.get(path);
      if (size === undefined) return undefined;
      if (tokensOf(h) === undefined) throw sharedByAll(path);
      const shapes = { down: [size, width], downBias: [1, size], up: [width, size], upBias: [1, width] };
      const part = (name: BottleneckPart) =>
        reader.read(`${name} ${path}`, shapes[name], (pieces, slot) => {
          const piece = pieces.get(path);
          if (!piece) return;
          const tensor = piece.tensors[name]!;
          if (name !== 'up') return slot.set(tensor);
          // Rows have `size` columns. A smaller bottleneck fills only the first columns of each row.
          for (let row = 0; row < width; row++)
            slot.set(tensor.subarray(row * piece.size, (row + 1) * piece.size), row * size);
        });
      const x = byExample(inputOf(reads, h, end));
      return add(asRows(bottleneck(x, activation(nonLinearity, 'non_linearity'), part)), h);
    },
  }),
});

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

/** The adapters of a tuner, by the paths of their sublayers. */
function bankedBottlenecks({ places, layout, form }: BottleneckTuner, values: Float32Array): BankedPart {
  const pieces = places.map(({ sublayer, bottleneck: size }): [string, BankedPiece] => {
    const tensors = PART_NAMES.map((part) => [part, layout.read(values, partName(sublayer, part))]);
    return [sublayer.path, { size, tensors: Object.fromEntries(tensors) }];
  });
  return { form: bankForm(form), pieces: new Map(pieces) };
}

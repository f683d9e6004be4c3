import { add, matmul } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { activation } from '../../../models/nn/activation.ts';
import type { Injection, Sublayer, SublayerEnd } from '../../../models/nn/network.ts';
import { elementCount } from '../../../support/arrays.ts';
import { Random } from '../../../support/random.ts';
import {
  asRows,
  type Banked,
  type BankedPart,
  type BankedPiece,
  type BankForm,
  findTokens,
  separateExamples,
  sharedByAll,
} from '../bank/bank-form.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter, TunedSite, Tuner } from '../tuner.ts';

/** A sublayer with an adapter after it. */
export interface BottleneckSite {
  sublayer: Sublayer;
  /** Number of features between the two projections. */
  bottleneck: number;
}

/** The name of adapters within a model. It is also AdapterHub's usual name. */
export const ADAPTER_NAME = 'default';

/** AdapterHub's modules of a layer for adapters that are not in the sublayer's own module. */
const MODULES: Readonly<Record<Sublayer['kind'], string>> = {
  attention: 'attention_adapters',
  crossAttention: 'cross_attention_adapters',
  feedForward: 'output_adapters',
};

/** The parts of an adapter, by AdapterHub's names below its path. */
const PARTS = {
  down: 'adapter_down.0.weight',
  downBias: 'adapter_down.0.bias',
  up: 'adapter_up.weight',
  upBias: 'adapter_up.bias',
} as const;

type BottleneckPart = keyof typeof PARTS;
export const PART_NAMES = Object.keys(PARTS) as BottleneckPart[];

/**
 * AdapterHub's name of a part. In BERT and related families, adapters are in the modules `output`. In all others, they
 * have a module of their own.
 */
export function partName({ path, kind }: Sublayer, part: BottleneckPart, adapter = ADAPTER_NAME): string {
  const owner = path.endsWith('.output') ? path : path.replace(/[^.]+$/, MODULES[kind]);
  return `${owner}.adapters.${adapter}.${PARTS[part]}`;
}

/** The trained parameters of a site, in AdapterHub's order. */
function siteParameters({ sublayer, bottleneck }: BottleneckSite): TrainedParameter[] {
  const shapes: Record<BottleneckPart, number[]> = {
    down: [bottleneck, sublayer.width],
    downBias: [bottleneck],
    up: [sublayer.width, bottleneck],
    upBias: [sublayer.width],
  };
  return PART_NAMES.map((part) => ({ name: partName(sublayer, part), shape: shapes[part] }));
}

/** How an adapter computes. */
export interface BottleneckForm {
  /**
   * The adapter's input. `output`: the sublayer's output h. `norm`: the layer's result without an adapter, which is the
   * norm of h + residual, or the sum if no norm follows (AdapterHub's `original_ln_before`).
   */
  reads: 'output' | 'norm';
  /** The activation's name. */
  nonLinearity: string;
}

/** The adapter's input after a sublayer with output h. */
function chooseInput(reads: BottleneckForm['reads'], h: Value, { residual, norm }: SublayerEnd): Value {
  if (reads === 'output') return h;
  const whole = add(h, residual);
  return norm?.(whole) ?? whole;
}

/** up(activation(down(x))) */
function bottleneck(x: Value, activate: (x: Value) => Value, part: (name: BottleneckPart) => Value): Value {
  const linear = (x: Value, weight: BottleneckPart, bias: BottleneckPart) =>
    add(matmul(x, part(weight), { transposeB: true }), part(bias));
  return linear(activate(linear(x, 'down', 'downBias')), 'up', 'upBias');
}

const bankForm = ({ reads, nonLinearity }: BottleneckForm): BankForm => ({
  key: `bottleneck of ${reads}, ${nonLinearity}`,
  inject: (reader, sizes) => ({
    sublayer({ path, width }, h, end) {
      const size = sizes.get(path);
      if (size === undefined) return undefined;
      if (findTokens(h) === undefined) throw sharedByAll(path);
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
      const x = separateExamples(chooseInput(reads, h, end));
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
    return this.layout.readInto(values, this.saved, read);
  }

  /**
   * Puts adapters after the modules that call `sublayer`. In decoders, these are `self_attn` and `mlp` (GPT-2: `attn` and
   * `mlp`), and h goes to the residual sum. In Gemma 2 and OLMo 2, h first goes through a norm.
   *
   * The sublayer's output h is replaced by h + up(activation(down(input))).
   */
  inject(flat: Value): Injection {
    const activate = activation(this.form.nonLinearity, 'non_linearity');
    return {
      parameter: this.layout.own(flat),
      sublayer: (sublayer, h, end) => {
        if (!this.layout.find(partName(sublayer, 'down'))) return undefined;
        const part = (name: BottleneckPart) => this.layout.value(flat, partName(sublayer, name));
        return add(bottleneck(chooseInput(this.form.reads, h, end), activate, part), h);
      },
    };
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

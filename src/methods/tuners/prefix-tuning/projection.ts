import { add, matmul, tanh } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { Random } from '../../../support/random.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';
import { TABLE } from '../virtual/virtual-tuner.ts';

/** Sizes of the network that makes a prefix. */
export interface ProjectionSizes {
  count: number;
  width: number;
  hidden: number;
  /** Features of all keys and values of a token. */
  outputs: number;
}

const FIRST = 'prompt_encoder.transform.0';
const SECOND = 'prompt_encoder.transform.2';

/** The trained tensors of the network, by PEFT's names. */
export function projectionTensors({ count, width, hidden, outputs }: ProjectionSizes): TrainedParameter[] {
  return [
    { name: TABLE, shape: [count, width] },
    { name: `${FIRST}.weight`, shape: [hidden, width] },
    { name: `${FIRST}.bias`, shape: [hidden] },
    { name: `${SECOND}.weight`, shape: [outputs, hidden] },
    { name: `${SECOND}.bias`, shape: [outputs] },
  ];
}

/** The network's parts, in a graph or in numbers. */
interface Layers<Tensor> {
  table: Tensor;
  linear(path: string, x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
}

/** The keys and values: W₂ tanh(W₁ E + b₁) + b₂, [tokens, outputs]. */
export function projected<Tensor>({ table, linear, tanh }: Layers<Tensor>): Tensor {
  return linear(SECOND, tanh(linear(FIRST, table)));
}

export function graphLayers(value: (name: string) => Value): Layers<Value> {
  return {
    table: value(TABLE),
    linear: (path, x) => add(matmul(x, value(`${path}.weight`), { transposeB: true }), value(`${path}.bias`)),
    tanh,
  };
}

/** Layers of trained values, summed in 64 bits. */
export function numericLayers(
  read: (name: string) => Float32Array,
  count: number,
): Layers<Float32Array | Float64Array> {
  return {
    table: read(TABLE),
    linear(path, x) {
      const [weight, bias] = ['weight', 'bias'].map((name) => read(`${path}.${name}`)) as [
        Float32Array,
        Float32Array,
      ];
      const [inFeatures, outFeatures] = [x.length / count, bias.length];
      return Float64Array.from({ length: count * outFeatures }, (_, i) => {
        const [row, out] = [Math.floor(i / outFeatures), i % outFeatures];
        let sum = bias[out]!;
        for (let k = 0; k < inFeatures; k++) sum += x[row * inFeatures + k]! * weight[out * inFeatures + k]!;
        return sum;
      });
    },
    tanh: (x) => x.map(Math.tanh),
  };
}

/** Fills in PyTorch's initial values: normal embeddings, and uniform numbers within ±1 / √in in the layers. */
export function beginProjection(
  tensors: readonly TrainedParameter[],
  values: (name: string) => Float32Array,
  seed: number,
  { width, hidden }: ProjectionSizes,
  zero: boolean,
): void {
  for (const { name } of tensors) {
    const random = new Random(seed, `init ${name}`);
    const tensor = values(name);
    if (name === TABLE) tensor.set(random.normals(tensor.length, 1));
    else if (!zero || !name.startsWith(SECOND)) {
      const bound = 1 / Math.sqrt(name.startsWith(FIRST) ? width : hidden);
      for (let i = 0; i < tensor.length; i++) tensor[i] = (2 * random.uniform() - 1) * bound;
    }
  }
}

/** The keys and values of a decoder's layers. */
export interface PrefixShape {
  /** Their names in the order of PEFT's file: the keys of a layer, then its values. */
  names: readonly string[];
  /** Features of the keys of a layer. */
  width: number;
  heads: number;
}

/**
 * The shape of a prefix for a decoder.
 *
 * @throws UserError if its layers differ in the size of their keys
 */
export function prefixShape({ states, definition }: TunableModel): PrefixShape {
  const [first] = states.values();
  const { width, headSize } = first!;
  if ([...states.values()].every((other) => other.width === width))
    return { names: [...states.keys()], width, heads: width / headSize };
  throw new UserError({
    where: `a model of type ${definition.modelType}`,
    fault: 'has keys of several sizes, which no prefix fits',
    code: 'unsupported',
  });
}

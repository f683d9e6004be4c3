import { add, matmul, tanh } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { Random } from '../../support/random.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
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

/** The keys and values in a graph: W₂ tanh(W₁ E + b₁) + b₂, [tokens, outputs]. */
export function projected(value: (name: string) => Value): Value {
  const layer = (path: string, x: Value) =>
    add(matmul(x, value(`${path}.weight`), { transposeB: true }), value(`${path}.bias`));
  return layer(SECOND, tanh(layer(FIRST, value(TABLE))));
}

/** The same from trained values, summed in 64 bits. */
export function projectedValues(
  layout: ParameterLayout,
  values: Float32Array,
  { count, width, hidden, outputs }: ProjectionSizes,
): Float32Array {
  const layer = (path: string, x: ArrayLike<number>, inFeatures: number, outFeatures: number) => {
    const [weight, bias] = ['weight', 'bias'].map((name) => layout.read(values, `${path}.${name}`));
    return Float64Array.from({ length: count * outFeatures }, (_, i) => {
      const [row, out] = [Math.floor(i / outFeatures), i % outFeatures];
      let sum = bias[out];
      for (let k = 0; k < inFeatures; k++) sum += x[row * inFeatures + k] * weight[out * inFeatures + k];
      return sum;
    });
  };
  const inner = layer(FIRST, layout.read(values, TABLE), width, hidden).map(Math.tanh);
  return Float32Array.from(layer(SECOND, inner, hidden, outputs));
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

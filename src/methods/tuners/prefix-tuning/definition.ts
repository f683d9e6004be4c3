import { z } from 'zod';
import { add, matmul, slice, tanh } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { writesText } from '../../../models/heads/registry.ts';
import type { VirtualTokens } from '../../../models/nn/virtual-tokens.ts';
import { Random } from '../../../support/random.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';
import { TABLE, type VirtualParts, virtualConfigShape, virtualMethod } from '../virtual/virtual-files.ts';

/** Sizes of the network that makes a prefix. */
interface ProjectionSizes {
  count: number;
  width: number;
  hidden: number;
  /** Features of all keys and values of a token. */
  outputs: number;
}

const FIRST = 'prompt_encoder.transform.0';
const SECOND = 'prompt_encoder.transform.2';

/** The trained tensors of the network, by PEFT's names. */
function projectionTensors({ count, width, hidden, outputs }: ProjectionSizes): TrainedParameter[] {
  return [
    { name: TABLE, shape: [count, width] },
    { name: `${FIRST}.weight`, shape: [hidden, width] },
    { name: `${FIRST}.bias`, shape: [hidden] },
    { name: `${SECOND}.weight`, shape: [outputs, hidden] },
    { name: `${SECOND}.bias`, shape: [outputs] },
  ];
}

/** The keys and values, [tokens, outputs]: W₂ tanh(W₁ E + b₁) + b₂. */
function projected(value: (name: string) => Value): Value {
  const linear = (path: string, x: Value) =>
    add(matmul(x, value(`${path}.weight`), { transposeB: true }), value(`${path}.bias`));
  return linear(SECOND, tanh(linear(FIRST, value(TABLE))));
}

/** The same numbers, summed in 64 bits. */
function projectedRows(read: (name: string) => Float32Array, count: number): Float32Array {
  const linear = (path: string, x: Float32Array | Float64Array) => {
    const [weight, bias] = [read(`${path}.weight`), read(`${path}.bias`)];
    const [inFeatures, outFeatures] = [x.length / count, bias.length];
    return Float64Array.from({ length: count * outFeatures }, (_, i) => {
      const [row, out] = [Math.floor(i / outFeatures), i % outFeatures];
      let sum = bias[out]!;
      for (let k = 0; k < inFeatures; k++) sum += x[row * inFeatures + k]! * weight[out * inFeatures + k]!;
      return sum;
    });
  };
  return Float32Array.from(linear(SECOND, linear(FIRST, read(TABLE)).map(Math.tanh)));
}

/** Fills in PyTorch's initial values: normal embeddings, and uniform numbers within ±1 / √in in the layers. */
function beginProjection(
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
interface PrefixShape {
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
function prefixShape({ states, definition }: TunableModel): PrefixShape {
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

interface Prefix extends Pick<VirtualParts, 'own' | 'begin' | 'rows'> {
  /** The keys and values of all layers, [tokens, layers · 2 · width]. */
  all(value: (name: string) => Value): Value;
}

function trainedPrefix({ count, outputs }: ProjectionSizes, zero: boolean): Prefix {
  return {
    own: [{ name: TABLE, shape: [count, outputs] }],
    all: (value) => value(TABLE),
    begin(values, seed) {
      if (!zero) values(TABLE).set(new Random(seed, `init ${TABLE}`).normals(count * outputs, 1));
    },
    rows: (values) => values(TABLE),
  };
}

/** The keys and values that a small network makes. */
function projectedPrefix(sizes: ProjectionSizes, zero: boolean): Prefix {
  const own = projectionTensors(sizes);
  return {
    own,
    all: projected,
    begin: (values, seed) => beginProjection(own, values, seed, sizes, zero),
    rows: (values) => projectedRows(values, sizes.count),
  };
}

/** @param all the keys and values of all layers. Gradient checkpointing does not compute them again in a layer */
function tokens({ names, width }: PrefixShape, count: number, all: Value): VirtualTokens {
  return {
    count,
    states(name) {
      const at = names.indexOf(name);
      return slice(all, 1, at * width, (at + 1) * width);
    },
  };
}

/** The settings of prefix tuning: PEFT's keys and defaults. */
const prefixTuningConfigSchema = z
  .strictObject({
    ...virtualConfigShape,
    /** Whether a network of two layers makes the keys and values in training. The adapter has its results only. */
    prefix_projection: z.boolean().default(false),
    /** Features between the two layers. Default: those of the keys. */
    encoder_hidden_size: z.int().min(1).optional(),
    /** `zero` starts with keys and values of zero. Default: random numbers. */
    init_weights: z.literal('zero').optional(),
  })
  .refine(({ prefix_projection, encoder_hidden_size: size }) => prefix_projection || size === undefined, {
    path: ['encoder_hidden_size'],
    error: 'requires prefix_projection: true',
  });

type PrefixTuningConfig = z.infer<typeof prefixTuningConfigSchema>;

/**
 * Prefix tuning (Li and Liang, 2021, arXiv 2101.00190): trained keys and values of every layer before those of a
 * text. They have no position, and no place in the sequence of labels.
 */
export const prefixTuning = virtualMethod<PrefixTuningConfig, typeof prefixTuningConfigSchema>({
  config: prefixTuningConfigSchema,
  learningRate: 1e-2,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 1e-2 } },
  title: 'Prefix tuning',
  peftType: 'PREFIX_TUNING',
  predictsFirst: false,
  needs: ({ definition, headKind }) =>
    definition.isDecoder && writesText(headKind) ? undefined : 'a decoder that writes text',
  parts(model, config) {
    const { num_virtual_tokens: count, prefix_projection: projects, init_weights } = config;
    const shape = prefixShape(model);
    const { names, width } = shape;
    const sizes = {
      count,
      width,
      hidden: config.encoder_hidden_size ?? width,
      outputs: names.length * width,
    };
    const { all, ...parts } = (projects ? projectedPrefix : trainedPrefix)(sizes, init_weights === 'zero');
    const paths = new Set(names.map((name) => name.replace(/\.[^.]*$/, '')));
    const trained = parts.own.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
    return {
      ...parts,
      width: sizes.outputs,
      sites: [...paths].map((path) => ({ path, parameters: trained / paths.size })),
      tokens: (value) => tokens(shape, count, all(value)),
    };
  },
  settings(model, { encoder_hidden_size, init_weights = null }) {
    const { width, heads } = prefixShape(model);
    return {
      encoder_hidden_size: encoder_hidden_size ?? width,
      init_weights,
      num_attention_heads: heads,
      token_dim: width,
    };
  },
});

import { z } from 'zod';
import { add, matmul, slice, tanh } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { writesText } from '../../../models/heads/registry.ts';
import type { VirtualTokens } from '../../../models/nn/virtual-tokens.ts';
import { Random } from '../../../support/random.ts';
import { UserError } from '../../../support/user-error.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { TokensBefore, TunableModel } from '../tuner.ts';
import {
  storedVirtual,
  TABLE,
  type VirtualFiles,
  type VirtualParts,
  virtualConfigShape,
  virtualKind,
  virtualTuner,
} from '../virtual/virtual-files.ts';
import { savedParameters } from '../whole-parameters.ts';

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

/** The tokens of a prefix. They have no place in the sequence of labels. */
function prefixTokens(count: number): TokensBefore {
  return { count, predictsFirst: false };
}

/**
 * Prefix tuning (Li and Liang, 2021, arXiv 2101.00190): trained keys and values of every layer before those of a
 * text. They have no position.
 */
function prefixParts(shape: PrefixShape, count: number, zero: boolean): VirtualParts {
  const outputs = shape.names.length * shape.width;
  return {
    ...common(shape, count, count * outputs),
    own: [{ name: TABLE, shape: [count, outputs] }],
    tokens: (value) => tokens(shape, count, value(TABLE)),
    begin(values, seed) {
      if (!zero) values(TABLE).set(new Random(seed, `init ${TABLE}`).normals(count * outputs, 1));
    },
  };
}

/** The same, but a small network makes the keys and values. */
function projectedParts(shape: PrefixShape, sizes: ProjectionSizes, zero: boolean): VirtualParts {
  const own = projectionTensors(sizes);
  const trained = own.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  return {
    ...common(shape, sizes.count, trained),
    own,
    tokens: (value) => tokens(shape, sizes.count, projected(graphLayers(value))),
    begin: (values, seed) => beginProjection(own, values, seed, sizes, zero),
  };
}

function common({ names }: PrefixShape, count: number, parameters: number) {
  const paths = new Set(names.map((name) => name.replace(/\.[^.]*$/, '')));
  return {
    before: prefixTokens(count),
    sites: [...paths].map((path) => ({ path, parameters: parameters / paths.size })),
  };
}

/**
 * @param all the keys and values of all layers, [tokens, layers · 2 · width], which gradient checkpointing then does
 * not compute again in a layer
 */
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

const FILES: VirtualFiles = {
  peftType: 'PREFIX_TUNING',
  needs: ({ definition, headKind }: TunableModel) =>
    definition.isDecoder && writesText(headKind) ? undefined : 'a decoder that writes text',
  width(model) {
    const { names, width } = prefixShape(model);
    return names.length * width;
  },
  tunerOf: (model, count, saved) => virtualTuner(prefixParts(prefixShape(model), count, false), saved),
};

/** Prefix tuning (Li and Liang, 2021), with the keys and files of PEFT. */
export const prefixTuning: MethodDefinition<PrefixTuningConfig, typeof prefixTuningConfigSchema> = {
  config: prefixTuningConfigSchema,
  learningRate: 1e-2,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 1e-2 } },
  trains: 'adapter',
  vectors: 5,
  needs: FILES.needs,
  virtualTokens: ({ num_virtual_tokens }) => prefixTokens(num_virtual_tokens),
  start(model, config) {
    const { num_virtual_tokens: count, prefix_projection: projects, init_weights = null } = config;
    const shape = prefixShape(model);
    const { width, heads, names } = shape;
    const hidden = config.encoder_hidden_size ?? width;
    const sizes = { count, width, hidden, outputs: names.length * width };
    const zero = init_weights === 'zero';
    const parts = projects ? projectedParts(shape, sizes, zero) : prefixParts(shape, count, zero);
    const saved = savedParameters(model, { ...config, bias: 'none' }, []);
    const tuner = virtualTuner(parts, saved);
    const { layout } = tuner;
    return staticRun(tuner, {
      store: (values, baseModel) =>
        storedVirtual(model, {
          peftType: FILES.peftType,
          tokens: {
            shape: [count, sizes.outputs],
            data: projects
              ? Float32Array.from(projected(numericLayers((name) => layout.read(values, name), count)))
              : layout.read(values, TABLE),
          },
          trained: { layout, values, saved },
          settings: {
            ...config,
            encoder_hidden_size: hidden,
            init_weights,
            num_attention_heads: heads,
            token_dim: width,
          },
          baseModel,
        }),
    });
  },
  kind: virtualKind(FILES),
  words: {
    title: 'Prefix tuning',
    tags: ['peft', 'prefix-tuning'],
    library: 'peft',
    summary: ({ num_virtual_tokens: count }) => (count === undefined ? undefined : `${count} virtual tokens`),
    budgetKeys: ['num_virtual_tokens'],
  },
};

import { z } from 'zod';
import { writesText } from '../../../models/heads/registry.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { TunableModel } from '../tuner.ts';
import {
  storedVirtual,
  type VirtualFiles,
  virtualConfigShape,
  virtualKind,
} from '../virtual/virtual-files.ts';
import { TABLE, virtualTuner } from '../virtual/virtual-tuner.ts';
import { prefixParts, prefixTokens, projectedParts } from './prefix-parts.ts';
import { numericLayers, prefixShape, projected } from './projection.ts';

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

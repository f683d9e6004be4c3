import { writesText } from '../../models/heads/registry.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { TunableModel } from '../tuner.ts';
import { storedVirtual, type VirtualFiles, virtualKind } from '../virtual/virtual-files.ts';
import { TABLE, virtualTuner } from '../virtual/virtual-tuner.ts';
import { type PrefixTuningConfig, prefixTuningConfigSchema } from './config.ts';
import { prefixParts, prefixTokens, projectedParts } from './prefix-parts.ts';
import { prefixShape } from './prefix-shape.ts';
import { numericLayers, projected } from './projection.ts';

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
        storedVirtual(
          model,
          FILES.peftType,
          {
            shape: [count, sizes.outputs],
            data: projects
              ? Float32Array.from(projected(numericLayers((name) => layout.read(values, name), count)))
              : layout.read(values, TABLE),
          },
          { layout, values, saved },
          {
            ...config,
            encoder_hidden_size: hidden,
            init_weights,
            num_attention_heads: heads,
            token_dim: width,
          },
          baseModel,
        ),
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

import { headNamed, writesText } from '../../../models/heads/registry.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { TunableModel } from '../tuner.ts';
import { storedVirtual, type VirtualFiles, virtualKind } from '../virtual/virtual-files.ts';
import { TABLE, virtualTuner } from '../virtual/virtual-tuner.ts';
import {
  type PromptTuningConfig,
  promptParts,
  promptTokens,
  promptTuningConfigSchema,
  wordTable,
} from './prompt-parts.ts';

const FILES: VirtualFiles = {
  peftType: 'PROMPT_TUNING',
  needs({ definition, headKind }: TunableModel) {
    const { mainUse, axes } = headNamed(headKind);
    const classifies = mainUse === 'predict' && axes[0] === 'batch';
    if (definition.isDecoder && (classifies || writesText(headKind))) return undefined;
    return 'a decoder that writes text or classifies texts';
  },
  width: (model) => wordTable(model).width,
  tunerOf: (model, count, saved) =>
    virtualTuner(promptParts(model, { num_virtual_tokens: count, prompt_tuning_init: 'RANDOM' }), saved),
};

/** Prompt tuning (Lester et al., 2021), with the keys and files of PEFT. */
export const promptTuning: MethodDefinition<PromptTuningConfig, typeof promptTuningConfigSchema> = {
  config: promptTuningConfigSchema,
  // The learning rate of PEFT's examples.
  learningRate: 3e-2,
  chosen: {
    encoder: { rate: 3e-2, prompt_tuning_init: 'SAMPLE_VOCAB' },
    language: { rate: 3e-2, prompt_tuning_init: 'SAMPLE_VOCAB' },
  },
  trains: 'adapter',
  vectors: 5,
  needs: FILES.needs,
  virtualTokens: ({ num_virtual_tokens }) => promptTokens(num_virtual_tokens),
  start(model, config) {
    const saved = savedParameters(model, { ...config, bias: 'none' }, []);
    const tuner = virtualTuner(promptParts(model, config), saved);
    const { prompt_tuning_init_text = null } = config;
    const { layout } = tuner;
    const { width } = wordTable(model);
    return staticRun(tuner, {
      store: (values, baseModel) =>
        storedVirtual(model, {
          peftType: FILES.peftType,
          tokens: { shape: [config.num_virtual_tokens, width], data: layout.read(values, TABLE) },
          trained: { layout, values, saved },
          settings: {
            ...config,
            num_attention_heads: null,
            prompt_tuning_init_text,
            token_dim: width,
            tokenizer_kwargs: null,
            tokenizer_name_or_path: prompt_tuning_init_text === null ? null : baseModel,
          },
          baseModel,
        }),
    });
  },
  kind: virtualKind(FILES),
  words: {
    title: 'Prompt tuning',
    tags: ['peft', 'prompt-tuning'],
    library: 'peft',
    summary: ({ num_virtual_tokens: count }) => (count === undefined ? undefined : `${count} virtual tokens`),
    budgetKeys: ['num_virtual_tokens'],
  },
};

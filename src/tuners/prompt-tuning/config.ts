import { z } from 'zod';
import { virtualConfigShape } from '../virtual/virtual-config.ts';

/** The settings of prompt tuning: PEFT's keys and defaults. */
export const promptTuningConfigSchema = z
  .strictObject({
    ...virtualConfigShape,
    /**
     * Initial embeddings. `RANDOM`: normal numbers. `SAMPLE_VOCAB`: those of random words. `TEXT`: those of
     * `prompt_tuning_init_text`, repeated or cut to the number of tokens.
     */
    prompt_tuning_init: z.enum(['RANDOM', 'SAMPLE_VOCAB', 'TEXT']).default('RANDOM'),
    /** Text for `prompt_tuning_init: TEXT`, in the tokens of the base model. */
    prompt_tuning_init_text: z.string().min(1).optional(),
  })
  .refine(
    ({ prompt_tuning_init: init, prompt_tuning_init_text: text }) =>
      (init === 'TEXT') === (text !== undefined),
    { path: ['prompt_tuning_init_text'], error: 'expected with prompt_tuning_init: TEXT, and only then' },
  );

export type PromptTuningConfig = z.infer<typeof promptTuningConfigSchema>;

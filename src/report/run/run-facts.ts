import { z } from 'zod';

const section = z.record(z.string(), z.unknown());
const column = z.union([z.string(), z.number()]);

/** What a report reads of a run's config. The rest of it is only shown. */
const runFactsSchema = z.looseObject({
  model: z.string(),
  task: z.string().default('single_label_classification'),
  method: z.enum(['adalora', 'lora', 'full']),
  data: z.looseObject({ train: z.string(), validation: z.string().optional(), text_pair: column.optional() }),
  training: z.looseObject({
    per_device_train_batch_size: z.number().optional(),
    gradient_accumulation_steps: z.number().optional(),
    metric_for_best_model: z.string().optional(),
  }),
  adalora: section.optional(),
  lora: section.optional(),
  base_dtype: z.string().default('float32'),
  seed: z.number().default(0),
  output: z.string().default(''),
});

export type RunFacts = z.output<typeof runFactsSchema>;

/** A resolved config as a report reads it; undefined where it is none. */
export function runFacts(config: unknown): RunFacts | undefined {
  return runFactsSchema.safeParse(config).data;
}

export const METHOD_NAMES = { adalora: 'AdaLoRA', lora: 'LoRA', full: 'full fine-tuning' } as const;

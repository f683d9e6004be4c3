import { elasticLora } from '../elastic/elastic-lora.ts';
import { seeded } from '../elastic/elastic-run.ts';
import { type ElaLoraConfig, ElaLoraPolicy, elaLoraConfigSchema } from './elalora-policy.ts';

/** ElaLoRA (Chang et al., 2025, arXiv 2504.00254): triplets move to the modules where they matter most. */
export const elaLora = elasticLora<ElaLoraConfig, typeof elaLoraConfigSchema>({
  method: 'elalora',
  title: 'ElaLoRA',
  config: elaLoraConfigSchema,
  averages: 2,
  policy: ({ layout }, config, schedule, seed) =>
    new ElaLoraPolicy(layout.length, config, schedule, seeded(seed)),
});

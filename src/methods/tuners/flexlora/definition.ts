import { elasticLora } from '../elastic/elastic-lora.ts';
import { seeded } from '../elastic/elastic-run.ts';
import { type FlexLoraConfig, FlexLoraPolicy, flexLoraConfigSchema } from './flexlora-policy.ts';

/** FlexLoRA (ICLR 2026, arXiv 2601.22905): ranks move depending on the entropy of each matrix's spectrum. */
export const flexLora = elasticLora<FlexLoraConfig, typeof flexLoraConfigSchema>({
  method: 'flexlora',
  title: 'FlexLoRA',
  config: flexLoraConfigSchema,
  averages: 0,
  variants: ({ removal }) => (removal === 'signed' ? ['removal by the sign of λ'] : []),
  policy: (_tuner, config, schedule, seed) => new FlexLoraPolicy(config, schedule, seeded(seed)),
});

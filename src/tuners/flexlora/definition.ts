import { seeded } from '../elastic/draw.ts';
import { elasticLora } from '../elastic/elastic-lora.ts';
import { type FlexLoraConfig, flexLoraConfigSchema } from './config.ts';
import { FlexLoraPolicy } from './flexlora-policy.ts';

/** FlexLoRA (ICLR 2026, arXiv 2601.22905): ranks move depending on the entropy of each matrix's spectrum. */
export const flexLora = elasticLora<FlexLoraConfig, typeof flexLoraConfigSchema>({
  method: 'flexlora',
  title: 'FlexLoRA',
  config: flexLoraConfigSchema,
  averages: 0,
  variants: ({ removal }) => (removal === 'signed' ? ['removal by the sign of λ'] : []),
  policy: (_tuner, config, schedule, seed) => new FlexLoraPolicy(config, schedule, seeded(seed)),
});

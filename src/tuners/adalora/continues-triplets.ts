import type { z } from 'zod';
import { BUDGET_KEYS } from '../allocation/budget-shape.ts';
import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import type { AdaLoraAdapterConfig } from '../low-rank/peft-config.ts';
import type { ContinuesAdapters } from '../method-definition.ts';
import { importedAdaLora } from './adalora-kind.ts';
import type { TripletSettings } from './adalora-tuner.ts';

/** Keys that have an effect when a run continues an adapter. The others control allocation, and ranks stay the same. */
const TRAINING = ['lora_dropout', 'orth_reg_weight'];

/**
 * Continues training of an adapter with triplets, at its ranks.
 *
 * @param known returns the adapter's settings under the names of the method's section; by default unchanged
 */
export function continuesTriplets<Config>(
  method: string,
  schema: z.ZodObject,
  known: (start: AdaLoraAdapterConfig) => Readonly<Record<string, unknown>> = (start) => start,
): ContinuesAdapters<Config> {
  return continuesLowRank({
    method,
    schema: schema as never,
    // The file's alpha already includes the scale of the original run. An alpha that PEFT ignores is no setting here.
    known(start: AdaLoraAdapterConfig) {
      const { lora_alpha, ...others } = known(start);
      const given = start.lora_alpha > 0 ? { lora_alpha } : {};
      return { ...others, ...given, scale: 'standard' };
    },
    imported: (start: AdaLoraAdapterConfig, settings) =>
      importedAdaLora(start, settings as unknown as TripletSettings),
    meaningless: [...BUDGET_KEYS, ...Object.keys(schema.shape)].filter((key) => !TRAINING.includes(key)),
    notices: ["Training continues with the adapter's triplets. Their ranks do not change."],
  }) as unknown as ContinuesAdapters<Config>;
}

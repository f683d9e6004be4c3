import { elementCount } from '../../../support/element-count.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ImportedKind } from '../low-rank/import-adapter.ts';
import { lowRankKind } from '../low-rank/low-rank-kind.ts';
import { loraRank } from '../low-rank/pattern-value.ts';
import type { LoraAdapterConfig } from '../low-rank/peft-config.ts';
import { loraScale } from '../low-rank/scales.ts';
import type { ReadParameter, TunableModel } from '../tuner.ts';
import { type LoraSettings, LoraTuner } from './lora-tuner.ts';
import { weightStart } from './start-factors.ts';

/** Adapters of PEFT's type LORA: from plain LoRA, and from methods that end as LoRA. */
export const loraKind = lowRankKind('LORA', {
  imported: (config) => importedLora(config, { lora_dropout: 0 }),
  facts: ({ use_dora }) => ({ settings: use_dora ? { use_dora } : {} }),
});

/** Builds the tuner of an imported adapter. Its file defines the adapter, and `settings` define how it is trained. */
export function importedLora(start: LoraAdapterConfig, settings: LoraSettings): ImportedKind<LoraTuner> {
  return {
    rank: (path) => loraRank(start, path),
    scale: (path, rank) => loraScale(start, path, rank),
    create(modules, saved, model, where) {
      const init = weightStart(start.init_lora_weights);
      const own = { ...settings, use_dora: start.use_dora, init_lora_weights: init };
      const tuner = new LoraTuner(own, modules, saved);
      if (init) tuner.takeStart(0, readerOf(model, where));
      return tuner;
    },
  };
}

function readerOf({ readRange }: TunableModel, where: string): ReadParameter {
  if (readRange) return (name, shape) => readRange(name, 0, elementCount(shape));
  throw new UserError({
    where: `${where}: init_lora_weights`,
    fault: 'needs the weights of the base model, which are not here',
    hint: 'Set it to true.',
  });
}

import type { ImportedKind } from '../low-rank/import-adapter.ts';
import { lowRankKind } from '../low-rank/low-rank-kind.ts';
import type { LoraAdapterConfig } from '../low-rank/peft-config.ts';
import { loraScale } from '../low-rank/scales.ts';
import { type LoraSettings, LoraTuner } from './lora-tuner.ts';

/** Adapters of PEFT's type LORA: those of plain LoRA, and of methods that end as LoRA. */
export const loraKind = lowRankKind('LORA', {
  imported: (config) => importedLora(config, { lora_dropout: 0 }),
  facts: () => ({ settings: {} }),
});

/** What the adapter is comes from its file, how it is trained from `settings`. */
export function importedLora(start: LoraAdapterConfig, settings: LoraSettings): ImportedKind<LoraTuner> {
  return {
    scale: (path, rank) => loraScale(start, path, rank),
    create: (modules, saved) => new LoraTuner(settings, modules, saved),
  };
}

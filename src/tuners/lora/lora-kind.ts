import type { ImportedKind } from '../low-rank/import-adapter.ts';
import { lowRankKind } from '../low-rank/low-rank-kind.ts';
import type { LoraAdapterConfig } from '../low-rank/peft-config.ts';
import { loraScale } from '../low-rank/scales.ts';
import { type LoraSettings, LoraTuner } from './lora-tuner.ts';

/** Adapters of PEFT's type LORA: from plain LoRA, and from methods that end as LoRA. */
export const loraKind = lowRankKind('LORA', {
  imported: (config) => importedLora(config, { lora_dropout: 0 }),
  facts: () => ({ settings: {} }),
});

/** Builds the tuner of an imported adapter: its file defines the adapter, `settings` how it is trained. */
export function importedLora(start: LoraAdapterConfig, settings: LoraSettings): ImportedKind<LoraTuner> {
  return {
    scale: (path, rank) => loraScale(start, path, rank),
    create: (modules, saved) => new LoraTuner(settings, modules, saved),
  };
}

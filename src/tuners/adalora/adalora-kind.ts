import { factorOf } from '../low-rank/factors.ts';
import type { ImportedKind } from '../low-rank/import-adapter.ts';
import { lowRankKind } from '../low-rank/low-rank-kind.ts';
import type { AdaLoraAdapterConfig } from '../low-rank/peft-config.ts';
import { storedAdaLoraScale } from '../low-rank/scales.ts';
import { AdaLoraTuner, type TripletSettings } from './adalora-tuner.ts';

/** Adapters of PEFT's type ADALORA: triplets with allocated or constant ranks. */
export const adaLoraKind = lowRankKind('ADALORA', {
  imported: (config) => importedAdaLora(config, { lora_dropout: 0, orth_reg_weight: 0 }),
  facts: ({ init_r, target_r }) => ({ initialRank: init_r, settings: { init_r, target_r } }),
});

/** Builds the tuner of an imported adapter. Its file defines the adapter, and `settings` define how it is trained. */
export function importedAdaLora(
  config: AdaLoraAdapterConfig,
  settings: TripletSettings,
): ImportedKind<AdaLoraTuner> {
  // A key may end in the adapter's name.
  const pathOf = (key: string) => (factorOf(key) ?? factorOf(key.slice(0, key.lastIndexOf('.'))))?.path;
  const kept = new Map(
    Object.entries(config.rank_pattern ?? {}).map(([key, rows]) => [
      pathOf(key),
      rows.filter(Boolean).length,
    ]),
  );
  return {
    rank: (path) => kept.get(path) ?? config.init_r,
    scale: (_, rank) => storedAdaLoraScale(config, rank),
    create: (modules, saved) => new AdaLoraTuner(settings, modules, saved),
  };
}

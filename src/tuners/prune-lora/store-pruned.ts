import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { type Export, exportAdapter } from '../low-rank/export-adapter.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { asStored } from '../low-rank/peft-adapter.ts';

/**
 * What is left as plain LoRA: rank and alpha by module, so that the scale stays alpha over the rank at the start. PEFT has no
 * LoRA of rank 0: modules that have lost everything are left out, and the others are named one by one then.
 *
 * @param r the rank at the start
 */
export function storePruned(
  made: Pick<Export, 'model' | 'targets' | 'values' | 'baseModel'>,
  settings: Export['config'] & { lora_alpha: number },
  tuner: LowRankTuner,
  r: number,
): StoredAdapter {
  const modules = tuner.modules.filter(({ rank }) => rank > 0);
  // The vector is the same: those of rank 0 have no numbers in it.
  const { layout } = tuner.withModules(modules);
  const changed = modules.filter(({ rank }) => rank !== r);
  const selection = modules.length === tuner.modules.length ? {} : onlyThese(modules);
  return asStored(
    exportAdapter(
      { ...made, config: settings, modules, layout },
      {
        peft_type: 'LORA',
        r,
        rank_pattern: Object.fromEntries(changed.map(({ path, rank }) => [path, rank])),
        alpha_pattern: Object.fromEntries(
          changed.map(({ path, rank }) => [path, (settings.lora_alpha * rank) / r]),
        ),
        ...selection,
      },
    ),
  );
}

/** A selection of these modules alone. */
function onlyThese(modules: readonly { path: string }[]) {
  return {
    target_modules: modules.map(({ path }) => path),
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
  };
}

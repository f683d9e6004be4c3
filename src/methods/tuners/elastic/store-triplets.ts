import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { type Export, exportAdapter } from '../low-rank/export-adapter.ts';
import { factorName } from '../low-rank/factors.ts';
import { adaLoraAlphaOf } from '../low-rank/scales.ts';

/**
 * Stores triplets with a rank and a scale per module as PEFT's AdaLoRA. PEFT has one initial rank and one scale for all
 * modules. The initial rank is set to the largest rank, and λ absorbs the differences in scale.
 *
 * @param keys the schedule and target rank, in PEFT's keys
 */
export function storeTriplets(made: Export, keys: Readonly<Record<string, unknown>>): StoredAdapter {
  const { modules, layout } = made;
  const init_r = Math.max(...modules.map(({ rank }) => rank));
  const { scale: common } = modules[0]!;
  const values = made.values.slice();
  for (const { path, scale } of modules) {
    const lambdas = layout.read(values, factorName(path, 'E'));
    lambdas.forEach((lambda, i) => {
      lambdas[i] = lambda * (scale / common);
    });
  }
  const flags = modules.map(({ path, rank }) => [
    factorName(path, 'E'),
    Array.from({ length: init_r }, (_, i) => i < rank),
  ]);
  const config = { ...made.config, lora_alpha: adaLoraAlphaOf(common, init_r) };
  const ranks = { init_r, rank_pattern: Object.fromEntries(flags) };
  return exportAdapter({ ...made, config, values }, { peft_type: 'ADALORA', ...keys, ...ranks });
}

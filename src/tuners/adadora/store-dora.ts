import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { rankKeys } from '../lora/store-ranked.ts';
import { type Export, exportAdapter } from '../low-rank/export-adapter.ts';
import { factorName } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { asStored } from '../low-rank/peft-adapter.ts';

/** Stores triplets with magnitudes as PEFT's DoRA: A = Q and B = P diag(λ). The alphas keep the scale at every rank. */
export function storeDora(
  made: Pick<Export, 'model' | 'targets' | 'values' | 'baseModel' | 'config'>,
  { modules, layout, saved }: LowRankTuner,
): StoredAdapter {
  const plain = new LoraTuner({ lora_dropout: 0, use_dora: true }, modules, saved);
  const values = new Float32Array(plain.layout.length);
  for (const { name } of plain.layout.segments)
    plain.layout.read(values, name).set(layout.read(made.values, name));
  for (const { path, rank } of modules) {
    const lambdas = layout.read(made.values, factorName(path, 'E'));
    const columns = plain.layout.read(values, factorName(path, 'B'));
    for (let i = 0; i < columns.length; i++) columns[i] *= lambdas[i % rank];
  }
  const r = Math.max(...modules.map(({ rank }) => rank));
  const settings = { r, lora_alpha: modules[0].scale * r, use_rslora: false };
  const keys = { peft_type: 'LORA', use_dora: true, ...rankKeys(modules, settings) } as const;
  return asStored(exportAdapter({ ...made, values, modules, layout: plain.layout }, keys));
}

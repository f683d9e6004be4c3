import { adapterBytes } from '../../formats/adapters/adapter-bytes.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { adapterKey } from './adapter-keys.ts';
import { factorName, factorOf, type LowRankModule } from './factors.ts';
import type { PeftAdapterConfig } from './peft-config.ts';

/** A trained tensor in an adapter's file. */
interface StoredForm extends TrainedParameter {
  key: string;
  shape: number[];
}

/** For each trained tensor, its key and shape in the file. */
export function storedForms(
  parameters: readonly TrainedParameter[],
  kind: PeftAdapterConfig['peft_type'],
): StoredForm[] {
  const adapted = new Set(parameters.flatMap(({ name }) => factorOf(name)?.path ?? []));
  return parameters.map(({ name, shape }) => ({
    name,
    key: adapterKey(name, kind, (path) => adapted.has(path)),
    // PEFT stores λ as a column.
    shape: factorOf(name)?.factor === 'E' ? [...shape, 1] : [...shape],
  }));
}

/**
 * The size of an adapter's tensor file for modules of these ranks, including the header and fully saved modules.
 * Modules of rank 0 are not in the file, because PEFT has no LoRA of rank 0.
 */
export function storedBytes(
  modules: readonly LowRankModule[],
  saved: readonly TrainedParameter[],
  kind: PeftAdapterConfig['peft_type'],
): number {
  const factors = modules
    .filter(({ rank }) => kind === 'ADALORA' || rank > 0)
    .flatMap(({ path, rank, inFeatures, outFeatures }) => [
      { name: factorName(path, 'A'), shape: [rank, inFeatures] },
      ...(kind === 'ADALORA' ? [{ name: factorName(path, 'E'), shape: [rank] }] : []),
      { name: factorName(path, 'B'), shape: [outFeatures, rank] },
    ]);
  return adapterBytes(
    new Map(storedForms([...factors, ...saved], kind).map(({ key, shape }) => [key, shape])),
  );
}

import { adapterSize } from '../../formats/adapters/adapter-bytes.ts';
import type { LinearModule } from '../../nn/network.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { adapterKey } from './adapter-keys.ts';
import { factorName, factorOf } from './factors.ts';
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
 * Returns a function that computes the size of an adapter's tensor file from the modules' ranks, including the header and
 * fully saved modules. Modules of rank 0 are not in the file, because PEFT has no LoRA of rank 0.
 */
export function storedSize(
  modules: readonly LinearModule[],
  saved: readonly TrainedParameter[],
  kind: PeftAdapterConfig['peft_type'],
): (ranks: readonly number[]) => number {
  const isAdaLora = kind === 'ADALORA';
  const factors = modules.flatMap(({ path, inFeatures, outFeatures }, module) => [
    { module, name: factorName(path, 'A'), shapeAt: (rank: number) => [rank, inFeatures] },
    ...(isAdaLora ? [{ module, name: factorName(path, 'E'), shapeAt: (rank: number) => [rank, 1] }] : []),
    { module, name: factorName(path, 'B'), shapeAt: (rank: number) => [outFeatures, rank] },
  ]);
  const parameters = [...factors.map(({ name }) => ({ name, shape: [1] })), ...saved];
  const sizeOf = adapterSize(storedForms(parameters, kind).map(({ key }) => key));
  return (ranks) =>
    sizeOf((i) => {
      const factor = factors[i];
      if (!factor) return saved[i - factors.length]!.shape;
      const rank = ranks[factor.module]!;
      return isAdaLora || rank > 0 ? factor.shapeAt(rank) : undefined;
    });
}

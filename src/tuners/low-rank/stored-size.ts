import { adapterSize } from '../../formats/adapters/adapter-bytes.ts';
import type { LinearModule } from '../../nn/network.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { storedForms } from '../peft/peft-files.ts';
import { factorName } from './factors.ts';
import { LOW_RANK_FILES, type PeftAdapterConfig } from './peft-config.ts';

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
  const adapted = new Set(modules.map(({ path }) => path));
  const forms = storedForms(LOW_RANK_FILES[kind], parameters, (path) => adapted.has(path));
  const sizeOf = adapterSize(forms.map(({ key }) => key));
  return (ranks) =>
    sizeOf((i) => {
      const factor = factors[i];
      if (!factor) return saved[i - factors.length]!.shape;
      const rank = ranks[factor.module]!;
      return isAdaLora || rank > 0 ? factor.shapeAt(rank) : undefined;
    });
}

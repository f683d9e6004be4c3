import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { f32ToF16 } from '../../src/input/formats/float.ts';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import type { ParameterLayout } from '../../src/methods/tuners/parameter-layout.ts';
import { writeSafetensors } from '../../tests/support/safetensors-file.ts';
import { CONFIG } from './shape.ts';
import { DISTILLATION } from './training/objective.ts';
import { TOKENIZER_FILES } from './vocabulary/tokenizer-files.ts';

/**
 * Writes the encoder as a Hugging Face model folder, in half precision.
 *
 * @param tokenizer the folder of the encoder's tokenizer
 */
export function exportModel(
  folder: string,
  tokenizer: string,
  layout: ParameterLayout,
  values: Float32Array,
): void {
  mkdirSync(folder, { recursive: true });
  const kept = layout.segments.filter(({ name }) => !name.startsWith(DISTILLATION));
  const tensors = kept.map(({ name, shape }): [string, StoredTensor] => [
    name,
    { dtype: 'F16', shape: [...shape], data: f32ToF16(layout.read(values, name)) },
  ]);
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
  const isMasked = kept.some(({ name }) => name.startsWith('cls.'));
  const config = {
    ...CONFIG,
    architectures: [isMasked ? 'BertForMaskedLM' : 'BertModel'],
    dtype: 'float16',
  };
  atomicWrite(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  for (const name of TOKENIZER_FILES) copyFileSync(join(tokenizer, name), join(folder, name));
}

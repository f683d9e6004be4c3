import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { f32ToF16 } from '../../../src/input/formats/float.ts';
import { disk } from '../../../src/input/formats/node/folder-files.ts';
import { openCheckpoint } from '../../../src/input/formats/open-checkpoint.ts';
import type { StoredTensor } from '../../../src/input/formats/tensor-data.ts';
import { initialize } from '../../../src/models/bind-checkpoint.ts';
import { writeSafetensors } from '../../../tests/support/safetensors-file.ts';
import { CONFIG } from '../shape.ts';

/** Writes a model with the same tensors as another, but randomly initialized. */
export function writeRandomTwin(folder: string, of: string, seed: number): void {
  mkdirSync(folder, { recursive: true });
  const checkpoint = openCheckpoint(disk, of);
  const tensors = checkpoint.names().map((name): [string, StoredTensor] => {
    const shape = [...checkpoint.info(name).shape];
    const data = f32ToF16(initialize(name, shape, seed, CONFIG.initializer_range));
    return [name, { dtype: 'F16', shape, data }];
  });
  checkpoint.close();
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(of, file), join(folder, file));
}

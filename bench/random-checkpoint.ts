import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredTensor } from '../src/input/formats/tensor-data.ts';
import { initialize } from '../src/models/bind-checkpoint.ts';
import { describeIn } from '../tests/support/describe-in.ts';
import { writeSafetensors } from '../tests/support/safetensors-file.ts';
import { benchHead } from './bench-head.ts';
import type { BenchCase } from './shapes.ts';

/**
 * Writes a model folder of the given shape with random weights and a head.
 */
export function writeRandomCheckpoint(
  folder: string,
  { model_type, shape, dropout, head }: Pick<BenchCase, 'model_type' | 'shape' | 'dropout' | 'head'>,
): void {
  mkdirSync(folder, { recursive: true });
  const config = {
    model_type,
    ...shape,
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const { parameters } = describeIn(folder, benchHead(head).build);
  const tensors = [...parameters].map(([name, shape]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [...shape], data: initialize(name, shape, 0, 0.02) },
  ]);
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors));
}

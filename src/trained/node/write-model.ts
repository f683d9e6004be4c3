import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { writeSafetensors } from '../../formats/node/safetensors-file.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import type { ParameterLayout } from '../../tuners/parameter-layout.ts';
import { fullModelTensors, SHARED_FILES, trainedConfig } from '../full-model.ts';
import type { Notes } from '../notes.ts';

/** Writes a fully fine-tuned model as transformers' `save_pretrained` does: weights, config with labels, tokenizer. */
export function writeFullModel(
  folder: string,
  baseFolder: string,
  model: LoadedModel,
  layout: ParameterLayout,
  values: Float32Array,
  trainedFor: Pick<Notes, 'task' | 'labels'>,
): void {
  mkdirSync(folder, { recursive: true });
  const tensors = fullModelTensors(model, layout, values);
  writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  writeModelFiles(folder, baseFolder, model, trainedFor, 'float32');
}

/** What lies beside a fine-tuned model's weights: the tokenizer of the base, and its config as {@link trainedConfig}. */
export function writeModelFiles(
  folder: string,
  baseFolder: string,
  model: LoadedModel,
  trainedFor: Pick<Notes, 'task' | 'labels'> | undefined,
  dtype: string | undefined,
): void {
  for (const file of SHARED_FILES) {
    if (existsSync(join(baseFolder, file))) copyFileSync(join(baseFolder, file), join(folder, file));
  }
  const text = readFileSync(join(baseFolder, 'config.json'), 'utf8');
  atomicWrite(join(folder, 'config.json'), trainedConfig(text, model, trainedFor, dtype));
}

import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { writeSafetensors } from '../../formats/node/safetensors-file.ts';
import type { StoredTensor } from '../../formats/tensor-data.ts';
import type { ParameterLayout } from '../../tuners/parameter-layout.ts';
import { type LoadedModel, readModelConfig } from './load-model.ts';

/** Files of a tokenizer, which a fine-tuned model shares with its base. */
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'vocab.txt'];

/** Writes a fully fine-tuned model as transformers' `save_pretrained` does: weights, config with labels, tokenizer. */
export function writeFullModel(
  folder: string,
  baseFolder: string,
  model: LoadedModel,
  layout: ParameterLayout,
  values: Float32Array,
  labels: readonly string[],
): void {
  mkdirSync(folder, { recursive: true });
  const tensors = layout.segments.map(({ name, shape }): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [...shape], data: layout.read(values, name) },
  ]);
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
  writeModelFiles(folder, baseFolder, model, labels, 'float32');
}

/**
 * What lies beside a fine-tuned model's weights: the tokenizer of the base, and its config with the labels.
 *
 * @param dtype the type of the weights in the words of transformers; undefined: that of the base
 */
export function writeModelFiles(
  folder: string,
  baseFolder: string,
  { head, task }: LoadedModel,
  labels: readonly string[],
  dtype: string | undefined,
): void {
  for (const file of TOKENIZER_FILES) {
    if (existsSync(join(baseFolder, file))) copyFileSync(join(baseFolder, file), join(folder, file));
  }
  const names = labels.length > 0 ? labels : ['LABEL_0'];
  const { torch_dtype, ...base } = readModelConfig(baseFolder);
  const config = {
    ...base,
    dtype: dtype ?? base.dtype ?? torch_dtype,
    architectures: [head.architecture],
    problem_type: task,
    id2label: Object.fromEntries(names.map((name, id) => [id, name])),
    label2id: Object.fromEntries(names.map((name, id) => [name, id])),
  };
  atomicWrite(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

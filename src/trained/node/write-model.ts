import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { editJson } from '../../formats/edit-json.ts';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { writeSafetensors } from '../../formats/node/safetensors-file.ts';
import type { StoredTensor } from '../../formats/tensor-data.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import { elementCount } from '../../support/element-count.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { ParameterLayout } from '../../tuners/parameter-layout.ts';

import type { Notes } from '../notes.ts';

/** Files of a tokenizer, which a fine-tuned model shares with its base. */
const TOKENIZER_FILES = [
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['vocab.txt', 'vocab.json', 'merges.txt', 'chat_template.jinja', 'generation_config.json'],
];

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
  const tensors = layout.segments.map(({ name, shape }): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [...shape], data: layout.read(values, name) },
  ]);
  const buffers = [...model.buffers].filter(([name]) => !('data' in model.locate(name)));
  for (const [name, shape] of buffers) {
    const data = model.readRange(name, 0, elementCount(shape));
    tensors.push([name, { dtype: 'F32', shape: [...shape], data }]);
  }
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
  writeModelFiles(folder, baseFolder, model, trainedFor, 'float32');
}

/**
 * What lies beside a fine-tuned model's weights: the tokenizer of the base, and its config with the labels.
 *
 * @param trainedFor the task and its classes, where they are known
 * @param dtype the type of the weights in the words of transformers; undefined: that of the base
 */
export function writeModelFiles(
  folder: string,
  baseFolder: string,
  { head }: LoadedModel,
  trainedFor: Pick<Notes, 'task' | 'labels'> | undefined,
  dtype: string | undefined,
): void {
  for (const file of TOKENIZER_FILES) {
    if (existsSync(join(baseFolder, file))) copyFileSync(join(baseFolder, file), join(folder, file));
  }
  const text = readFileSync(join(baseFolder, 'config.json'), 'utf8');
  const config = editJson(text, ({ torch_dtype, ...base }) => ({
    ...base,
    dtype: dtype ?? base.dtype ?? torch_dtype,
    architectures: [head.architecture],
    ...(trainedFor && taskNamed(trainedFor.task).classKeys?.(trainedFor.labels)),
  }));
  atomicWrite(join(folder, 'config.json'), `${config}\n`);
}

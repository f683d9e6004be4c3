import { editJson } from '../../input/formats/bounded-json.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import { PROCESSOR_FILE } from '../../input/media/medium.ts';
import { TEXT_FILES } from '../../input/text/text-files.ts';
import type { ParameterLayout } from '../../methods/tuners/parameter-layout.ts';
import { nameInFiles } from '../../models/bind-checkpoint.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { elementCount } from '../../support/arrays.ts';
import { taskNamed } from '../../tasks/registry.ts';
import type { Notes } from './notes.ts';

/** Names of the files that a fine-tuned model has unchanged from its base. */
export const SHARED_FILES = [...TEXT_FILES, PROCESSOR_FILE, 'generation_config.json'];

/** Names of a model folder's small files that affect training. */
export const DESCRIBING_FILES = [
  'config.json',
  ...SHARED_FILES.filter((name) => name !== 'generation_config.json'),
];

/** The tensors of a fully fine-tuned model: the trained ones, and the buffers of its checkpoint. */
export function fullModelTensors(
  model: LoadedModel,
  layout: ParameterLayout,
  values: Float32Array,
): Map<string, StoredTensor> {
  const tensors = layout.segments.map(({ name, shape }): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [...shape], data: layout.read(values, name) },
  ]);
  const buffers = [...model.buffers].filter(([name]) => !('data' in model.locate(name)));
  for (const [name, shape] of buffers) {
    const data = model.readRange(name, 0, elementCount(shape));
    tensors.push([name, { dtype: 'F32', shape: [...shape], data }]);
  }
  return new Map(tensors.map(([name, tensor]) => [storedName(model, name), tensor]));
}

/** The name of a parameter in a checkpoint that transformers writes. */
export function storedName({ definition }: Pick<LoadedModel, 'definition'>, name: string): string {
  return nameInFiles(definition, name);
}

/**
 * The config.json of a fine-tuned model: the base's config with the labels added.
 *
 * @param text the base model's config.json
 * @param trainedFor the task and its classes, if known
 * @param dtype the type of the weights, named as in transformers; by default the base's
 */
export function trainedConfig(
  text: string,
  { head }: Pick<LoadedModel, 'head'>,
  trainedFor: Pick<Notes, 'task' | 'labels' | 'model_config'> | undefined,
  dtype: string | undefined,
): string {
  const config = editJson(text, ({ torch_dtype, ...base }) => ({
    ...base,
    dtype: dtype ?? base.dtype ?? torch_dtype,
    architectures: [head.architecture],
    ...trainedFor?.model_config,
    ...(trainedFor && taskNamed(trainedFor.task).classes?.keys?.(trainedFor.labels)),
  }));
  return `${config}\n`;
}

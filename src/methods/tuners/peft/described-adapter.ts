import { type AdapterTensors, PEFT_PREFIX } from '../../../input/formats/adapters/stored-adapter.ts';
import { nameFromFiles } from '../../../models/bind-checkpoint.ts';
import { taskTypeFor } from '../../../models/heads/task-type.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { elementCount } from '../../../support/arrays.ts';
import { suggest } from '../../../support/text.ts';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import type { TunableModel } from '../tuner.ts';
import { tiedOutputs } from '../whole-parameters.ts';

/**
 * The model's name of a tensor or module in an adapter. An adapter made with an old transformers has a module's name in
 * files. Undefined for modules that the model does not compute, because nothing reads them.
 */
export function nameInModel(
  { definition, head, parameters }: TunableModel,
  name: string,
): string | undefined {
  if (head.unread?.some((module) => name === module || name.startsWith(`${module}.`))) return undefined;
  const renamed = Object.entries(definition.storedNames ?? {})
    .filter(([own]) => parameters.has(own))
    .map(([own, stored]) => [nameModule(own), nameModule(stored)] as const)
    .find(([, stored]) => name === stored || name.startsWith(`${stored}.`));
  return renamed ? renamed[0] + name.slice(renamed[1].length) : nameFromFiles(definition, name);
}

function nameModule(parameter: string): string {
  return parameter.slice(0, parameter.lastIndexOf('.'));
}

/**
 * The error for a name in an adapter that is not in the model.
 *
 * @param name a module's path, or the name of a tensor
 * @param known the names in the model
 */
export function unknownModule(
  model: TunableModel,
  name: string,
  known: Iterable<string>,
  where: string,
): UserError {
  const path = name.replace(/\.lora_embedding_[AB]$/, '');
  const tied = tiedOutputs(model).find(([output]) => output === `${path}.weight`);
  if (tied) {
    return new UserError({
      where: `${where}: ${path}`,
      fault: `is the same parameter as ${tied[1]} in the base model; adapters of it are not supported`,
      hint: 'Save the base model with tie_word_embeddings: false and both weights, and load the adapter on it.',
      code: 'unsupported',
    });
  }
  if (model.parameters.has(`${path}.weight`)) {
    return new UserError({
      where: `${where}: ${path}`,
      fault: 'is not a linear layer; adapters of other layers are not supported',
      code: 'unsupported',
    });
  }
  return new UserError({
    where: `${where}: ${name}`,
    fault: 'is not a module of the base model',
    hint: `${suggest(name, known).slice(0, 300)} Was the adapter made for another base model?`,
    code: 'unsupported',
  });
}

/** The weight of an adapted module in the base model. PEFT writes that of an adapted output layer. */
export const BASE_WEIGHT = /\.base_layer\.weight$/;

/**
 * Checks the base weights of adapted output layers. PEFT writes them into the file and loads them from it; here those
 * of the base model count.
 */
export function assertSameBase(model: TunableModel, tensors: AdapterTensors, where: string): void {
  const { readRange, parameters } = model;
  for (const [key, { data }] of tensors) {
    const name = nameInModel(model, key.slice(PEFT_PREFIX.length).replace(BASE_WEIGHT, '.weight'));
    if (name === undefined || !BASE_WEIGHT.test(key) || !parameters.has(name)) continue;
    const own = readRange?.(name, 0, elementCount(parameters.get(name)!));
    if (!own || (own.length === data.length && own.every((value, i) => isRounded(data[i]!, value)))) continue;
    throw new InvalidFile({
      where: `${where}: ${name}`,
      fault: 'has other values in the adapter than in the base model',
      hint: 'Save the base model with which the adapter was trained, and load the adapter on it.',
    });
  }
}

/** Whether a value may be another one in 16 bits: bf16 has 8 significant bits, and f16 a smallest step of 2⁻²⁴. */
function isRounded(rounded: number, value: number): boolean {
  return Math.abs(rounded - value) <= Math.abs(value) * 2 ** -8 + 2 ** -24;
}

/** The settings of a method that select modules, with its default modules. */
export interface DescribedSettings {
  target_modules: string | readonly string[];
  modules_to_save?: readonly string[];
}

/**
 * The settings that PEFT writes for every adapter.
 *
 * @param modules the adapted modules
 */
export function describedAdapter<Config extends DescribedSettings>(
  model: TunableModel,
  config: Config,
  modules: readonly LinearModule[],
  baseModel: string,
) {
  const { definition, head } = model;
  const taskType = taskTypeFor(model);
  const saved = [...head.modules, ...(config.modules_to_save ?? [])];
  return {
    ...config,
    base_model_name_or_path: baseModel,
    task_type: taskType,
    // Without a task type, PEFT needs the name of the model's class.
    auto_mapping:
      taskType === null
        ? { base_model_class: head.architecture, parent_library: transformersModule(definition.modelType) }
        : null,
    modules_to_save: saved.length > 0 ? saved : null,
    // PEFT overwrites it with each adapted module, so the last one decides.
    fan_in_fan_out: modules.at(-1)?.transposed ?? false,
    inference_mode: true,
  };
}

/** The Python module in transformers with a family's code. */
function transformersModule(modelType: string): string {
  const folder = modelType.replaceAll('-', '_').replace(/_vision_model$/, '');
  return `transformers.models.${folder}.modeling_${folder}`;
}

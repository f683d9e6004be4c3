import { type AdapterTensors, PEFT_PREFIX } from '../../../input/formats/adapters/stored-adapter.ts';
import { elementCount } from '../../../support/element-count.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TunableModel } from '../tuner.ts';
import { nameInModel } from './name-in-model.ts';

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
    throw new UserError({
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

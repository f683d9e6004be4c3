import { PEFT_PREFIX } from '../../../input/formats/adapters/stored-adapter.ts';
import { BASE_WEIGHT } from '../peft/base-weights.ts';
import { storedForms } from '../peft/peft-files.ts';
import { factorOf } from './factors.ts';
import { LOW_RANK_FILES, type PeftAdapterConfig } from './peft-config.ts';

/** The file's key of a trained tensor. */
export function adapterKey(
  name: string,
  kind: PeftAdapterConfig['peft_type'],
  isAdapted: (path: string) => boolean,
): string {
  const [form] = storedForms(LOW_RANK_FILES[kind], [{ name, shape: [1] }], isAdapted);
  return form!.key;
}

/**
 * adalora's name of the trained tensor with this key: a factor of a module, or a full parameter. Undefined for tensors
 * that PEFT saves redundantly:
 * - with `bias: all`, the second copy of the biases of fully saved modules, and the biases of the replaced originals;
 * - the base model's own weight of an adapted `lm_head`.
 */
export function parseAdapterKey(key: string): string | undefined {
  if (/\.(original_module|modules_to_save)\./.test(key) || BASE_WEIGHT.test(key)) return undefined;
  const name = key.slice(PEFT_PREFIX.length).replace(/\.base_layer\.bias$/, '.bias');
  const factor = name.replace(/\.weight$/, '');
  return factorOf(factor) ? factor : name;
}

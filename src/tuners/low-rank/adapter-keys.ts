import { PEFT_PREFIX } from '../../formats/adapters/stored-adapter.ts';
import { factorOf } from './factors.ts';
import type { PeftAdapterConfig } from './peft-config.ts';

/** The weight of an adapted module, as the base model has it. */
export const BASE_WEIGHT = /\.base_layer\.weight$/;

/**
 * The file's key of a trained tensor. LoRA's factors are modules and end in `.weight`, AdaLoRA's are parameters. PEFT
 * wraps an adapted layer, whose own bias is then that of its `base_layer`.
 */
export function adapterKey(
  name: string,
  kind: PeftAdapterConfig['peft_type'],
  isAdapted: (path: string) => boolean,
): string {
  if (factorOf(name)) return `${PEFT_PREFIX}${name}${kind === 'LORA' ? '.weight' : ''}`;
  const [, path] = /^(.*)\.bias$/.exec(name) ?? [];
  return path !== undefined && isAdapted(path) ? `${PEFT_PREFIX}${path}.base_layer.bias` : PEFT_PREFIX + name;
}

/**
 * The trained tensor that a key stands for, by our name: a factor of a module, or a whole parameter. Undefined for what
 * PEFT saves in vain: with `bias: all`, the biases of modules saved whole a second time and those of the originals that
 * they stand in for; and the base model's own weight of an adapted `lm_head`.
 */
export function parseAdapterKey(key: string): string | undefined {
  if (/\.(original_module|modules_to_save)\./.test(key) || BASE_WEIGHT.test(key)) return undefined;
  const name = key.slice(PEFT_PREFIX.length).replace(/\.base_layer\.bias$/, '.bias');
  const factor = name.replace(/\.weight$/, '');
  return factorOf(factor) ? factor : name;
}

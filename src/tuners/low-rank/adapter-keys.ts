/** How PEFT names the tensors of an adapter file. */
export const PREFIX = 'base_model.model.';

/** The weight of an adapted module, as the base model has it. */
export const BASE_WEIGHT = /\.base_layer\.weight$/;

export type LowRankFactor = 'lora_A' | 'lora_B' | 'lora_E';

/**
 * The file's key of a trained tensor. LoRA's factors are modules and end in `.weight`, AdaLoRA's are parameters. PEFT
 * wraps an adapted layer, whose own bias is then that of its `base_layer`.
 */
export function adapterKey(
  name: string,
  method: 'LORA' | 'ADALORA',
  isAdapted: (path: string) => boolean,
): string {
  if (/\.lora_[ABE]$/.test(name)) return `${PREFIX}${name}${method === 'LORA' ? '.weight' : ''}`;
  const [, path] = /^(.*)\.bias$/.exec(name) ?? [];
  return path !== undefined && isAdapted(path) ? `${PREFIX}${path}.base_layer.bias` : PREFIX + name;
}

/**
 * What a key stands for: a factor of a module, or a whole parameter. Undefined for what PEFT saves in vain: with
 * `bias: all`, the biases of modules saved whole a second time and those of the originals that they stand in for; and
 * the base model's own weight of an adapted `lm_head`.
 */
export function parseAdapterKey(
  key: string,
): { path: string; factor: LowRankFactor } | { parameter: string } | undefined {
  if (/\.(original_module|modules_to_save)\./.test(key) || BASE_WEIGHT.test(key)) return undefined;
  const name = key.slice(PREFIX.length).replace(/\.base_layer\.bias$/, '.bias');
  const [, path, factor] = /^(.*)\.(lora_[ABE])(?:\.weight)?$/.exec(name) ?? [];
  return path === undefined ? { parameter: name } : { path, factor: factor as LowRankFactor };
}

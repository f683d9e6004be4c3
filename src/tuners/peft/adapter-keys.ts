/** How PEFT names the tensors of an adapter file. */
const PREFIX = 'base_model.model.';

export type LowRankFactor = 'lora_A' | 'lora_B' | 'lora_E';

/** The file's key of a trained tensor. LoRA's factors are modules and end in `.weight`, AdaLoRA's are parameters. */
export function adapterKey(name: string, method: 'LORA' | 'ADALORA'): string {
  const isFactor = /\.lora_[ABE]$/.test(name);
  return `${PREFIX}${name}${isFactor && method === 'LORA' ? '.weight' : ''}`;
}

/** What a key stands for: a factor of a module, or a whole parameter. */
export function parseAdapterKey(
  key: string,
): { path: string; factor: LowRankFactor } | { parameter: string } {
  const name = key.slice(PREFIX.length);
  const [, path, factor] = /^(.*)\.(lora_[ABE])(?:\.weight)?$/.exec(name) ?? [];
  return path === undefined ? { parameter: name } : { path, factor: factor as LowRankFactor };
}

import { parseAdapterConfig } from '../../formats/peft/adapter-config.ts';
import { UserError } from '../../support/user-error.ts';
import { adaLoraScale } from '../adalora/adalora-tuner.ts';
import { adapterKey, type LowRankFactor, parseAdapterKey } from './adapter-keys.ts';
import type { PeftAdapter } from './export-adapter.ts';

type Tensor = { shape: number[]; data: Float32Array };

/**
 * An AdaLoRA adapter as plain LoRA that computes the same: lora_A = Q and lora_B = s P diag(λ) of the kept triplets,
 * and alpha = rank for every module, so that LoRA's own scale is 1. Modules without a triplet are left out. A LoRA
 * adapter is given back as it is.
 *
 * @param where the adapter's name for messages
 * @throws UserError where no triplet is left, or a factor is missing
 */
export function plainLora(adapter: PeftAdapter, where: string): PeftAdapter {
  const { config, tensors } = adapter;
  if (config.peft_type === 'LORA') return adapter;
  const factors = factorsByModule(tensors, where);
  const ranks = new Map([...factors].map(([path, { lora_E }]) => [path, lora_E.shape[0]]));
  const kept = [...ranks].filter(([, rank]) => rank > 0);
  if (kept.length === 0) {
    throw new UserError({ where, expected: 'an adapter with a triplet left', got: 'rank 0 everywhere' });
  }
  const key = (name: string) => adapterKey(name, 'LORA', (path) => (ranks.get(path) ?? 0) > 0);
  const plain: PeftAdapter['tensors'] = new Map();
  for (const [path] of kept) {
    const { lora_A, lora_E, lora_B } = factors.get(path)!;
    plain.set(key(`${path}.lora_A`), lora_A);
    plain.set(key(`${path}.lora_B`), scaledColumns(lora_B, lora_E.data, adaLoraScale(config)));
  }
  for (const [adapterFileKey, tensor] of tensors) {
    const parsed = parseAdapterKey(adapterFileKey);
    if (parsed && 'parameter' in parsed) plain.set(key(parsed.parameter), tensor);
  }
  const r = Math.max(...ranks.values());
  const settings = {
    ...config,
    peft_type: 'LORA',
    r,
    lora_alpha: r,
    use_rslora: false,
    rank_pattern: Object.fromEntries(kept),
    alpha_pattern: Object.fromEntries(kept),
    target_modules: kept.map(([path]) => path),
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
  };
  return { config: parseAdapterConfig(settings, where), tensors: plain };
}

function factorsByModule(tensors: PeftAdapter['tensors'], where: string) {
  const found = new Map<string, Partial<Record<LowRankFactor, Tensor>>>();
  for (const [key, tensor] of tensors) {
    const parsed = parseAdapterKey(key);
    if (parsed && 'factor' in parsed)
      found.set(parsed.path, { ...found.get(parsed.path), [parsed.factor]: tensor });
  }
  for (const [path, factors] of found) {
    for (const factor of ['lora_A', 'lora_E', 'lora_B'] as const) {
      if (factors[factor]) continue;
      throw new UserError({ where: `${where}: ${path}.${factor}`, expected: 'a tensor', got: 'none' });
    }
  }
  return found as Map<string, Record<LowRankFactor, Tensor>>;
}

/** matrix · scale · diag(factors), for a matrix [rows, factors] row by row. */
function scaledColumns({ shape, data }: Tensor, factors: Float32Array, scale: number): Tensor {
  return { shape, data: data.map((value, i) => value * scale * factors[i % factors.length]) };
}

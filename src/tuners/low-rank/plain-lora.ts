import type { AdapterTensors } from '../../formats/adapters/stored-adapter.ts';
import { UserError } from '../../support/user-error.ts';
import { adapterKey, parseAdapterKey } from './adapter-keys.ts';
import { type Factor, factorName, factorOf } from './factors.ts';
import type { PeftAdapter } from './peft-adapter.ts';
import { parseAdapterConfig } from './peft-config.ts';
import { storedAdaLoraScale } from './scales.ts';

type Tensor = { shape: number[]; data: Float32Array };

/**
 * Converts an AdaLoRA adapter to an equivalent plain LoRA: A = Q and B = s P diag(λ) of the kept triplets. Alpha equals
 * the rank of every module, so that LoRA's own scale is 1. Modules without triplets are omitted. A LoRA adapter is
 * returned unchanged.
 *
 * @param where the adapter's name for messages
 * @throws UserError if no triplet is left, or a factor is missing
 */
export function plainLora(adapter: PeftAdapter, where: string): PeftAdapter {
  const { config, tensors } = adapter;
  if (config.peft_type === 'LORA') return adapter;
  const factors = factorsByModule(tensors, where);
  const ranks = new Map([...factors].map(([path, { E }]) => [path, E.shape[0]!]));
  const kept = [...ranks].filter(([, rank]) => rank > 0);
  if (kept.length === 0) {
    throw new UserError({ where, fault: 'has rank 0 everywhere, so no triplet is left' });
  }
  const key = (name: string) => adapterKey(name, 'LORA', (path) => (ranks.get(path) ?? 0) > 0);
  const plain: AdapterTensors = new Map();
  for (const [path, rank] of kept) {
    const { A, E, B } = factors.get(path)!;
    plain.set(key(factorName(path, 'A')), A);
    plain.set(key(factorName(path, 'B')), scaledColumns(B, E.data, storedAdaLoraScale(config, rank)));
  }
  for (const [adapterFileKey, tensor] of tensors) {
    const name = parseAdapterKey(adapterFileKey);
    if (name !== undefined && !factorOf(name)) plain.set(key(name), tensor);
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

function factorsByModule(tensors: AdapterTensors, where: string) {
  const factorsOfModule = new Map<string, Partial<Record<Factor, Tensor>>>();
  for (const [key, tensor] of tensors) {
    const own = factorOf(parseAdapterKey(key) ?? '');
    if (own) factorsOfModule.set(own.path, { ...factorsOfModule.get(own.path), [own.factor]: tensor });
  }
  for (const [path, factors] of factorsOfModule) {
    for (const factor of ['A', 'E', 'B'] as const) {
      if (factors[factor]) continue;
      const name = factorName(path, factor);
      throw new UserError({ where: `${where}: ${name}`, fault: 'is missing' });
    }
  }
  return factorsOfModule as Map<string, Record<Factor, Tensor>>;
}

/** Returns matrix · scale · diag(factors) for a matrix [rows, factors], row-major. */
function scaledColumns({ shape, data }: Tensor, factors: Float32Array, scale: number): Tensor {
  return { shape, data: data.map((value, i) => value * scale * factors[i % factors.length]!) };
}

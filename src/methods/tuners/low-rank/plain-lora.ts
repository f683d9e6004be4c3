import type { AdapterTensors } from '../../../input/formats/adapters/stored-adapter.ts';
import { largest } from '../../../support/numbers.ts';
import { UserError } from '../../../support/user-error.ts';
import { weightStart } from '../lora/start-factors.ts';
import { type Factor, factorName, parseFactor } from './factors.ts';
import { loraScale, storedAdaLoraScale } from './patterns-and-scales.ts';
import {
  adapterKey,
  type PeftAdapter,
  type PeftAdapterConfig,
  parseAdapterConfig,
  parseAdapterKey,
} from './peft-config.ts';

type Tensor = { shape: number[]; data: Float32Array };
type Factors = { A: Tensor; B: Tensor; E?: Tensor };

/**
 * Converts an adapter to an equivalent LoRA with the same integer alpha for all modules, and without `alpha_pattern`.
 * B contains the rest of each module's scale, and AdaLoRA's λ. Factors are padded with zeros to the largest rank, because many
 * programs divide alpha by the `r` of the config and ignore `rank_pattern`. Modules without triplets are omitted. A
 * LoRA that has this form is returned unchanged.
 *
 * @param where the adapter's name for messages
 * @param keepsRanks whether ranks stay as they are, for formats that divide alpha by the rank of each tensor
 * @throws UserError if no triplet is left, a factor is missing, or ranks cannot be padded
 */
export function plainLora(adapter: PeftAdapter, where: string, keepsRanks = false): PeftAdapter {
  const { config, tensors } = adapter;
  const factors = factorsByModule(adapter, where);
  const ranks = new Map([...factors].map(([path, { A }]) => [path, A.shape[0]!]));
  const kept = [...ranks].filter(([, rank]) => rank > 0);
  if (kept.length === 0) {
    throw new UserError({ where, fault: 'has rank 0 everywhere, so no triplet is left' });
  }
  const r = largest(ranks.values());
  const isEven = kept.every(([, rank]) => rank === r);
  if (hasOneAlpha(config) && (isEven || keepsRanks)) return adapter;
  // PEFT computes such a start again, at the rank in the file.
  if (!keepsRanks && !isEven && weightStart(config.init_lora_weights)) {
    throw new UserError({
      where,
      fault: `starts from the weights of its base (init_lora_weights: ${config.init_lora_weights}), so its ranks cannot be padded`,
      hint: 'Save it as plain LoRA in PEFT: save_pretrained with path_initial_model_for_weight_conversion.',
    });
  }
  // The start is computed again from the file's alpha, so the scale must stay.
  if (weightStart(config.init_lora_weights)) return adapter;

  const key = (name: string) => adapterKey(name, 'LORA', (path) => (ranks.get(path) ?? 0) > 0);
  const plain: AdapterTensors = new Map();
  for (const [path, rank] of kept) {
    const { A, E, B } = factors.get(path)!;
    // The loader multiplies by alpha / rank, which is r / rank.
    const rest = (computeScale(config, path, rank) * (keepsRanks ? rank : r)) / r;
    const scaled = scaledColumns(B, E?.data, rest);
    plain.set(key(factorName(path, 'A')), keepsRanks ? A : withRows(A, r));
    plain.set(key(factorName(path, 'B')), keepsRanks ? scaled : withColumns(scaled, r));
  }
  for (const [adapterFileKey, tensor] of tensors) {
    const name = parseAdapterKey(adapterFileKey);
    if (name !== undefined && !isProduct(name)) plain.set(key(name), tensor);
  }
  const settings = {
    ...config,
    peft_type: 'LORA',
    r,
    lora_alpha: r,
    use_rslora: false,
    rank_pattern: keepsRanks && !isEven ? Object.fromEntries(kept) : {},
    alpha_pattern: {},
    target_modules: kept.map(([path]) => path),
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
  };
  return { config: parseAdapterConfig(settings, where), tensors: plain };
}

/** Whether every module's scale is one integer divided by the module's rank. */
function hasOneAlpha(config: PeftAdapterConfig): boolean {
  return (
    config.peft_type === 'LORA' &&
    Number.isInteger(config.lora_alpha) &&
    !config.use_rslora &&
    Object.keys(config.alpha_pattern).length === 0
  );
}

function computeScale(config: PeftAdapterConfig, path: string, rank: number): number {
  return config.peft_type === 'LORA' ? loraScale(config, path, rank) : storedAdaLoraScale(config, rank);
}

/** Whether a tensor is part of the increment. DoRA's magnitude is not. */
function isProduct(name: string): boolean {
  const own = parseFactor(name);
  return own !== undefined && own.factor !== 'M';
}

function factorsByModule({ config, tensors }: PeftAdapter, where: string): Map<string, Factors> {
  const factorsOfModule = new Map<string, Partial<Record<Factor, Tensor>>>();
  for (const [key, tensor] of tensors) {
    const own = parseFactor(parseAdapterKey(key) ?? '');
    if (own) factorsOfModule.set(own.path, { ...factorsOfModule.get(own.path), [own.factor]: tensor });
  }
  const needed = config.peft_type === 'LORA' ? (['A', 'B'] as const) : (['A', 'E', 'B'] as const);
  for (const [path, factors] of factorsOfModule) {
    for (const factor of needed) {
      if (factors[factor]) continue;
      const name = factorName(path, factor);
      throw new UserError({ where: `${where}: ${name}`, fault: 'is missing' });
    }
  }
  return factorsOfModule as Map<string, Factors>;
}

/** Returns matrix · scale · diag(factors) for a matrix [rows, factors], row-major. */
function scaledColumns({ shape, data }: Tensor, factors: Float32Array | undefined, scale: number): Tensor {
  if (!factors) return { shape, data: data.map((value) => value * scale) };
  return { shape, data: data.map((value, i) => value * scale * factors[i % factors.length]!) };
}

/** Adds rows of zeros. */
function withRows({ shape, data }: Tensor, rows: number): Tensor {
  const width = shape[1]!;
  const padded = new Float32Array(rows * width);
  padded.set(data);
  return { shape: [rows, width], data: padded };
}

/** Adds columns of zeros. */
function withColumns({ shape, data }: Tensor, columns: number): Tensor {
  const [rows, before] = shape as [number, number];
  const padded = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    padded.set(data.subarray(row * before, (row + 1) * before), row * columns);
  }
  return { shape: [rows, columns], data: padded };
}

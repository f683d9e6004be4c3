import type {
  AdapterTensor,
  AdapterTensors,
  StoredAdapter,
} from '../../../input/formats/adapters/stored-adapter.ts';
import type { AdapterKind, Increments } from '../adapter-kind.ts';
import { weightStart } from '../lora/start-factors.ts';
import { parseFactor } from './factors.ts';
import { type ImportedKind, importAdapter } from './import-adapter.ts';
import type { LowRankTuner } from './low-rank-tuner.ts';
import { loraScale } from './patterns-and-scales.ts';
import {
  asStored,
  type PeftAdapter,
  type PeftAdapterConfig,
  parseAdapterKey,
  peftAdapter,
} from './peft-config.ts';
import { plainLora } from './plain-lora.ts';

/**
 * The adapter as products of two matrices, with the whole scale and AdaLoRA's λ in B.
 *
 * @throws UserError like {@link plainLora}
 */
function increments(adapter: PeftAdapter, where: string): Increments {
  const { config, tensors } = plainLora(adapter, where);
  const modules = new Map<string, { A?: AdapterTensor; B?: AdapterTensor }>();
  let more: string | undefined;
  if (weightStart(config.init_lora_weights))
    more = `a start from the weights (init_lora_weights: ${config.init_lora_weights})`;
  for (const [key, tensor] of tensors) {
    const name = parseAdapterKey(key);
    if (name === undefined) continue;
    const { path, factor } = parseFactor(name) ?? {};
    if (path === undefined || (factor !== 'A' && factor !== 'B')) more ??= contentNamed(name);
    else {
      const scale = factor === 'A' ? 1 : loraScale(config, path, tensor.shape[1]!);
      modules.set(path, { ...modules.get(path), [factor]: scaled(tensor, scale) });
    }
  }
  // `plainLora` has checked that each module has both.
  return { modules: modules as Increments['modules'], more };
}

function scaled({ shape, data }: AdapterTensor, scale: number): AdapterTensor {
  return { shape, data: scale === 1 ? data : data.map((value) => value * scale) };
}

/** A description of a tensor that is no part of a product. */
function contentNamed(name: string): string {
  if (parseFactor(name)) return `DoRA's magnitude (${name})`;
  return name.endsWith('.bias') ? `a trained bias (${name})` : `a module that was trained in full (${name})`;
}

export type PeftType = PeftAdapterConfig['peft_type'];
/** The settings of adapters with this `peft_type`. */
export type PeftConfig<Type extends PeftType> = Extract<PeftAdapterConfig, { peft_type: Type }>;

/** The parts that differ between low-rank `peft_type`s. */
export interface LowRankFiles<Type extends PeftType> {
  /** Builds a tuner from such an adapter, for prediction. */
  imported(config: PeftConfig<Type>): ImportedKind<LowRankTuner>;
  /** The settings to display. */
  facts(config: PeftConfig<Type>): { initialRank?: number; settings: Record<string, unknown> };
}

/** Defines a kind of adapter file with pairs or triplets of factors. */
export function lowRankKind<Type extends PeftType>(
  name: Type,
  { imported, facts }: LowRankFiles<Type>,
): AdapterKind {
  const configOf = (stored: StoredAdapter, where: string) =>
    peftAdapter(stored, where).config as PeftConfig<Type>;
  return {
    name,
    reads: ({ config }) => config.peft_type === name,
    import(model, { tensors, ...stored }, where) {
      const config = configOf({ tensors, ...stored }, where);
      return importAdapter(model, { config, tensors }, where, imported(config));
    },
    facts: (stored, where) => ({
      ranks: storedRanks(stored.tensors),
      isOwn: (key) => parseFactor(parseAdapterKey(key) ?? '') !== undefined,
      ...facts(configOf(stored, where)),
    }),
    increments: (stored, where) => increments(peftAdapter(stored, where), where),
    exports: {
      lora: (stored, where, options) => asStored(plainLora(peftAdapter(stored, where), where, options)),
    },
  };
}

/** The rank of each adapted module, from its tensors. */
function storedRanks(tensors: AdapterTensors): Record<string, number> {
  const ranks: Record<string, number> = {};
  for (const [key, { shape }] of tensors) {
    const own = parseFactor(parseAdapterKey(key) ?? '');
    if (own?.factor === 'A') ranks[own.path] = shape[0]!;
  }
  return ranks;
}

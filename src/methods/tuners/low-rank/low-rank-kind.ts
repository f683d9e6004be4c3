import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import { factorOf } from './factors.ts';
import { type ImportedKind, importAdapter } from './import-adapter.ts';
import { increments } from './increments.ts';
import type { LowRankTuner } from './low-rank-tuner.ts';
import { asStored, type PeftAdapterConfig, parseAdapterKey, peftAdapter } from './peft-config.ts';
import { plainLora } from './plain-lora.ts';

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
      isOwn: (key) => factorOf(parseAdapterKey(key) ?? '') !== undefined,
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
    const own = factorOf(parseAdapterKey(key) ?? '');
    if (own?.factor === 'A') ranks[own.path] = shape[0]!;
  }
  return ranks;
}

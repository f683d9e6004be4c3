import type { AdapterTensor, StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { TunableModel, TunedValues } from './tuner.ts';

/** Facts that are known from an adapter's files alone, without the model. */
export interface AdapterFacts {
  /** Rank of each adapted module. Empty for adapters without ranks. */
  ranks: Record<string, number>;
  /** Rank of each module before any component was dropped. */
  initialRank?: number;
  /** Settings to display, by key. */
  settings: Record<string, unknown>;
  /** Whether a tensor of the file belongs to the adapter itself and not to a module that is saved in full. */
  isOwn(key: string): boolean;
  /** Whether one of these tensors is frozen, as VeRA's random matrices are. Missing if none is. */
  isFrozen?(key: string): boolean;
}

/** Options of the conversion to plain LoRA. */
export interface ExportLoraOptions {
  /** Whether all modules get the largest rank, for programs that know one rank only. */
  uniform?: boolean | undefined;
}

/** An adapter as products of matrices, for formats that hold nothing else. */
export interface Increments {
  /** For each module, B [out, rank] and A [rank, in]: its weight increases by B A. */
  modules: ReadonlyMap<string, { A: AdapterTensor; B: AdapterTensor }>;
  /** Something else that the adapter has, such as a trained bias. Undefined if it has nothing else. */
  more: string | undefined;
}

/** A kind of adapter file. Several methods may write the same kind. */
export interface AdapterKind {
  /** Its name in files and messages, such as `LORA`. */
  readonly name: string;
  /** Whether an adapter is of this kind. */
  reads(stored: StoredAdapter): boolean;
  /**
   * Puts an adapter on a model.
   *
   * @param where the adapter's name for messages
   * @throws UserError that names missing tensors, and tensors that fit no module or have the wrong shape
   */
  import(model: TunableModel, stored: StoredAdapter, where: string): TunedValues;
  /**
   * Reads the facts of a stored adapter.
   *
   * @throws UserError for invalid or unsupported settings
   */
  facts(stored: StoredAdapter, where: string): AdapterFacts;
  /** Conversions to equivalent forms, by name. */
  readonly exports: Readonly<
    Record<string, (stored: StoredAdapter, where: string, options?: ExportLoraOptions) => StoredAdapter>
  >;
  /** The adapter as its increments. Missing for other changes of the model. */
  increments?(stored: StoredAdapter, where: string): Increments;
  /** Why the adapter cannot be merged into the base model. Missing if it can. */
  readonly unmergeable?: string;
}

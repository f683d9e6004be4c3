import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import type { TunableModel, TunedValues } from './tuner.ts';

/** What an adapter's files tell of it without a model. */
export interface AdapterFacts {
  /** Rank of each adapted module; empty for kinds without ranks. */
  ranks: Record<string, number>;
  /** Rank of each module before any was dropped. */
  initialRank?: number;
  /** Settings worth showing, by their keys. */
  settings: Record<string, unknown>;
  /** Whether a tensor of the file belongs to the adapter itself, not to a module saved whole. */
  isOwn(key: string): boolean;
}

/** A kind of adapter file. Several methods may write the same. */
export interface AdapterKind {
  /** As the file and messages call it: `LORA`. */
  readonly name: string;
  /** Whether an adapter is of this kind. */
  reads(stored: StoredAdapter): boolean;
  /**
   * Puts an adapter on a model.
   *
   * @param where the adapter's name for messages
   * @throws UserError naming tensors that fit no module, have the wrong shape or lack those that belong to them
   */
  import(model: TunableModel, stored: StoredAdapter, where: string): TunedValues;
  /** @throws UserError for settings that are wrong or not supported */
  facts(stored: StoredAdapter, where: string): AdapterFacts;
  /** Other forms that compute the same, by name. */
  readonly exports: Readonly<Record<string, (stored: StoredAdapter, where: string) => StoredAdapter>>;
  /** Why it cannot be merged into the base model; missing where it can. */
  readonly unmergeable?: string;
}

import type { TrainedModel } from '../trained/trained-model.ts';
import type { TunedValues } from '../tuners/tuner.ts';
import type { PackedAdapter } from './bank/packed-adapter.ts';
import type { RowAdapter } from './rows/mixed-rows.ts';

/** An adapter under its name, or the base model alone. */
export interface ServedModel extends RowAdapter {
  readonly name: string;
  /** The folder of its files. */
  readonly folder: string;
  /** When serving started, in seconds since 1970. */
  readonly created: number;
  /** The base model's name; undefined for the base itself. */
  readonly parent?: string;
  /** Its task, labels and tokenizer; it computes nothing itself. */
  readonly trained: TrainedModel;
  /**
   * The form for a bank.
   *
   * @throws UserError if its files have changed or disappeared
   */
  load(): PackedAdapter;
  /**
   * The adapter as trained, for a model that shares no batch.
   *
   * @throws UserError like {@link load}
   */
  tuned(): TunedValues;
}

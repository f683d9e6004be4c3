import type { TrainedModel } from '../trained/trained-model.ts';
import type { TunedValues } from '../tuners/tuner.ts';
import type { PackedAdapter } from './bank/packed-adapter.ts';
import type { RowAdapter } from './rows/mixed-rows.ts';

/** An adapter under its name, or the base model alone. */
export interface ServedModel extends RowAdapter {
  readonly name: string;
  /** Where its files lie. */
  readonly folder: string;
  /** When it began to be served, in seconds since 1970. */
  readonly created: number;
  /** The base model's name; undefined for the base itself. */
  readonly parent?: string;
  /** Its task, its labels and what makes tokens for it; it computes nothing itself. */
  readonly trained: TrainedModel;
  /**
   * What a bank takes.
   *
   * @throws UserError where its files have changed or gone meanwhile
   */
  load(): PackedAdapter;
  /**
   * The adapter as it is trained, for a model that shares no batch.
   *
   * @throws UserError as {@link load}
   */
  tuned(): TunedValues;
}

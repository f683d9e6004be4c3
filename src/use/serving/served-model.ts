import type { PackedAdapter } from '../../methods/tuners/bank/packed-adapter.ts';
import type { TunedValues } from '../../methods/tuners/tuner.ts';
import type { TrainedModel } from '../trained/trained-model.ts';
import type { RowAdapter } from './rows/mixed-rows.ts';

/** An adapter under its name, or the base model alone. */
export interface ServedModel extends RowAdapter {
  readonly name: string;
  /** The folder of its files. */
  readonly folder: string;
  /** When serving started, in seconds since 1970. */
  readonly created: number;
  /** The base model's name. Undefined for the base itself. */
  readonly parent?: string;
  /** Its task, labels and modality. It does not compute anything. */
  readonly trained: TrainedModel;
  /**
   * Returns the adapter in the form of a bank's slot.
   *
   * @throws NotMixed for one that needs a session of its own; UserError if its files have changed or disappeared
   */
  load(): Promise<PackedAdapter>;
  /**
   * Returns the adapter as trained, for a model that cannot share a batch.
   *
   * @throws UserError like {@link load}
   */
  tuned(): Promise<TunedValues>;
}

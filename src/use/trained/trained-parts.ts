import type { TunedValues } from '../../methods/tuners/tuner.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { lazy } from '../../support/options.ts';
import type { Notes } from './notes.ts';
import type { DescribedModel } from './read-model.ts';
import type { TrainedParts } from './trained-model.ts';
import type { KnownAdapter } from './tune-model.ts';

/** A model with its adapter, if it has one. */
export interface TunedModel extends TunedValues {
  model: LoadedModel;
  base: DescribedModel;
  /** The task for which it was trained. Undefined for unknown tasks. */
  notes: Notes | undefined;
}

/** An open model with its adapter, if it has one, and the places of their files. Nothing is computed yet. */
export interface OpenedTuned extends TunedModel {
  /** The folder of the base model. */
  baseFolder: string;
  /** The folder of the adapter, or of the model itself. */
  folder: string;
  adapter?: KnownAdapter | undefined;
}

/**
 * The parts of a trained model. Its modality is built on first use, because merging a model needs none.
 *
 * @param maxLength number of tokens after which a text is truncated, if other than in the run
 */
export function trainedParts(
  { base, model, tuner, values, notes }: TunedModel,
  maxLength: number | undefined,
  others: Omit<TrainedParts, keyof TunedModel | 'modality' | 'generationFiles'>,
): TrainedParts {
  const modality = lazy(() => base.modality(model.config, maxLength ?? notes?.data.max_length));
  return {
    ...others,
    model,
    tuner,
    values,
    notes,
    get modality() {
      return modality();
    },
    generationFiles: base.generationFiles,
  };
}

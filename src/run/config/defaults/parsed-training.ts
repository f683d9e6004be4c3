import type { TrainingConfig } from '../training-section.ts';
import type { ChosenTraining } from './policy.ts';

/** A `training` section without the values that are chosen later. */
export type ParsedTraining = Omit<TrainingConfig, ChosenTraining> &
  Partial<Pick<TrainingConfig, ChosenTraining>>;

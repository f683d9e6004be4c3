/** Fine-tuning in a page: the counterpart of Node's package, with files instead of folders. */

export type { PageFile } from '../../input/formats/files.ts';
export type { ResultFiles } from '../../studies/jobs/memory-store.ts';
export { UserError } from '../../support/user-error.ts';
export type { TextInput } from '../../tasks/labeled/read-inputs.ts';
export type { LabelSetAnswer } from '../../tasks/multi-label-classification/definition.ts';
export type { ScoreAnswer } from '../../tasks/regression/definition.ts';
export type { ClassAnswer } from '../../tasks/single-label-classification/definition.ts';
export type { EventOf, FinishEvent, TrainEvent } from '../../training/run/events.ts';
export type { OnStepEnd, StepControl, StepState } from '../../training/train/step-control.ts';
export type { Predictions } from '../../use/trained/predictions.ts';
export type { TrainedModel } from '../../use/trained/trained-model.ts';
export {
  type AdapterSet,
  exportOnnx,
  type OpenOptions,
  open,
  openSet,
  type PageExportOptions,
  type Trained,
} from './open.ts';
export type { PageConfig, PageOptions } from './page-options.ts';
export type { PageTexts } from './train.ts';
export { type TrainOptions, type TrainResult, train } from './train.ts';

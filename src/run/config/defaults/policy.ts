import type { LinearModule } from '../../../nn/network.ts';
import { type TaskName, taskNamed } from '../../../tasks/registry.ts';
import { type MethodName, methodNamed } from '../../../tuners/registry.ts';
import type { TunableModel } from '../../../tuners/tuner.ts';
import type { TrainingConfig } from '../training-section.ts';

/** The keys of `training` that are chosen. */
export const CHOSEN_TRAINING = [
  'learning_rate',
  'num_train_epochs',
  'per_device_train_batch_size',
  'warmup_ratio',
  'eval_strategy',
  'load_best_model_at_end',
] as const satisfies (keyof TrainingConfig)[];
export type ChosenTraining = (typeof CHOSEN_TRAINING)[number];

/** What the choice depends on. The machine is not among it: a config gives the same run everywhere. */
export interface ChoiceFacts {
  method: MethodName;
  task: TaskName;
  model: Pick<TunableModel, 'definition' | 'linears'>;
  /** To train on, without those that are held out. */
  rows: number;
  /** Of a row, about. */
  tokens: number;
}

/** The share of rows that is held out if the config names no validation set, and the fewest rows for that. */
export const HELD_OUT = '10%';
export const LEAST_ROWS = 20;

/** The width of all-MiniLM-L6-v2, the widest model measured. Wider ones take a lower rate, as 1 / width; narrower ones the same. */
const MEASURED_WIDTH = 384;
/** Rows of a step. Small files need many steps more than smooth gradients. */
const BATCH = 16;
/** Rows that a run sees: fewer teach a new head and its factors too little. */
const ROWS_SEEN = 3400;
const EPOCHS = { least: 8, most: 40, ofOldHead: 3 };
/**
 * Parameters of linear layers times tokens that a run goes through: some two minutes of two cores (docs/defaults.md). Every row is
 * seen once even if that takes longer.
 */
const WORK = 3.5e12;

/** What a method's and a task's facts come to for some rows and a model. */
export function policy(facts: ChoiceFacts): {
  training: Pick<
    TrainingConfig,
    'learning_rate' | 'num_train_epochs' | 'per_device_train_batch_size' | 'warmup_ratio'
  >;
  /** Of the method's section. */
  section: Readonly<Record<string, unknown>>;
} {
  const { method, task, model } = facts;
  const { batchSize, keepsHead = false } = taskNamed(task);
  const { chosen } = methodNamed(method);
  // A head that has learnt takes smaller steps than a new one, and so does a decoder.
  const isLanguage = keepsHead || model.definition.isDecoder === true;
  const { rate, ...section } = isLanguage ? chosen.language : chosen.encoder;
  return {
    training: {
      learning_rate: rounded(isLanguage ? rate : rate * Math.min(1, MEASURED_WIDTH / widthOf(model.linears))),
      num_train_epochs: epochsFor(facts, keepsHead),
      per_device_train_batch_size: keepsHead ? batchSize.train : BATCH,
      warmup_ratio: 0.06,
    },
    section,
  };
}

function epochsFor({ rows, tokens, model }: ChoiceFacts, keepsHead: boolean): number {
  const wanted = keepsHead
    ? EPOCHS.ofOldHead
    : Math.min(EPOCHS.most, Math.max(EPOCHS.least, Math.ceil(ROWS_SEEN / rows)));
  const parameters = model.linears.reduce(
    (sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures,
    0,
  );
  return Math.max(1, Math.min(wanted, Math.floor(WORK / (parameters * tokens * rows))));
}

/** The width of most linear layers' inputs, which is that of the hidden states. */
export function widthOf(linears: readonly Pick<LinearModule, 'inFeatures'>[]): number {
  const counts = new Map<number, number>();
  for (const { inFeatures } of linears) counts.set(inFeatures, (counts.get(inFeatures) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), [MEASURED_WIDTH, 0])[0];
}

/** Two digits: a rate is no more exact. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}

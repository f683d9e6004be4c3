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
export const HELD_OUT = 0.1;
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
  const { batchSize, keepsHead = false } = taskNamed(facts.task);
  const { rate: _, ...section } = chosenFor(facts);
  return {
    training: {
      learning_rate: usualRate(facts),
      num_train_epochs: epochsFor(facts, keepsHead),
      per_device_train_batch_size: keepsHead ? batchSize.train : BATCH,
      warmup_ratio: 0.06,
    },
    section,
  };
}

/** The learning rate that is chosen for a method, a task and a model, which is the same for any number of rows. */
export function usualRate(facts: Pick<ChoiceFacts, 'method' | 'task' | 'model'>): number {
  const { rate } = chosenFor(facts);
  const share = isLanguage(facts) ? 1 : Math.min(1, MEASURED_WIDTH / widthOf(facts.model.linears));
  // Two digits: a rate is no more exact.
  return Number((rate * share).toPrecision(2));
}

function chosenFor(facts: Pick<ChoiceFacts, 'method' | 'task' | 'model'>) {
  const { encoder, language } = methodNamed(facts.method).chosen;
  return isLanguage(facts) ? language : encoder;
}

/** A head that has learnt takes smaller steps than a new one, and so does a decoder. */
function isLanguage({ task, model }: Pick<ChoiceFacts, 'task' | 'model'>): boolean {
  return taskNamed(task).keepsHead === true || model.definition.isDecoder === true;
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

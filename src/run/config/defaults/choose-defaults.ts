import { taskNamed } from '../../../tasks/registry.ts';
import { methodNamed } from '../../../tuners/registry.ts';
import { inSchemaOrder } from '../in-schema-order.ts';
import { methodOf } from '../method-of.ts';
import type { ParsedConfig, RunConfig } from '../run-config.ts';
import { type ChoiceFacts, FEW_ROWS_SEEN, HELD_OUT, MIN_ROWS, policy, widthOf } from './policy.ts';

/** A value that was chosen because the config does not set it. */
export interface Chosen {
  /** The dotted key that was set. */
  key: string;
  value: unknown;
  /** The facts that the choice is based on. */
  reason: string;
}

/**
 * Chooses whether to evaluate, and on what data, if the config does not say.
 *
 * @param rows number of rows in the training file
 * @param canHoldOut whether enough rows are distinct to hold out a share of them
 */
export function chooseEvaluation<Config extends ParsedConfig>(
  config: Config,
  rows: number,
  canHoldOut: (share: number) => boolean = () => true,
): { config: Config; chosen: Chosen[] } {
  const { data, training, task } = config;
  const { eval_strategy: strategy, load_best_model_at_end: best } = training;
  const holdsOut =
    data.validation === undefined &&
    strategy !== 'no' &&
    config.defaults === 'chosen' &&
    taskNamed(task).files.countRows !== undefined &&
    (strategy !== undefined || (rows >= MIN_ROWS && canHoldOut(HELD_OUT)));
  const isValidated = data.validation !== undefined || holdsOut;
  const eval_strategy = strategy ?? (isValidated ? 'epoch' : 'no');
  const load_best_model_at_end = best ?? eval_strategy !== 'no';
  const tooFew = rows < MIN_ROWS ? `${rows} rows are too few` : `too few of the ${rows} rows differ`;
  const choosesBest = best === undefined && load_best_model_at_end;
  const prefersLater =
    choosesBest &&
    training.prefer_later_model === undefined &&
    taskNamed(task).training.probeLoss !== undefined;
  const fallsBack =
    choosesBest &&
    training.fall_back_to_majority === undefined &&
    // With class weights, the majority class is not the baseline to compare with.
    training.class_weights === undefined &&
    taskNamed(task).classes?.counts !== undefined;
  const reason = isValidated ? 'there are rows to validate on' : `${tooFew} to hold some out`;
  const chosen = [
    ...(holdsOut ? [{ key: 'data.validation', value: `${100 * HELD_OUT}%`, reason: `${rows} rows` }] : []),
    ...(strategy === undefined ? [{ key: 'training.eval_strategy', value: eval_strategy, reason }] : []),
    ...(best === undefined
      ? [
          {
            key: 'training.load_best_model_at_end',
            value: load_best_model_at_end,
            reason: `eval_strategy ${eval_strategy}`,
          },
        ]
      : []),
    ...(prefersLater
      ? [{ key: 'training.prefer_later_model', value: true, reason: 'load_best_model_at_end' }]
      : []),
    ...(fallsBack
      ? [{ key: 'training.fall_back_to_majority', value: true, reason: 'load_best_model_at_end' }]
      : []),
  ];
  return {
    config: {
      ...config,
      data: { ...data, ...(holdsOut && { validation: `${100 * HELD_OUT}%` }) },
      training: {
        ...training,
        eval_strategy,
        load_best_model_at_end,
        ...(prefersLater && { prefer_later_model: true }),
        ...(fallsBack && { fall_back_to_majority: true }),
      },
    },
    chosen,
  };
}

/** Fills in the values that a config does not set. A complete config stays unchanged. */
export function chooseDefaults(
  config: ParsedConfig,
  facts: Omit<ChoiceFacts, 'method' | 'task'>,
): { config: RunConfig; chosen: Chosen[] } {
  const { method, task, training } = config;
  const { settings } = methodOf(config);
  const proposed = policy({ ...facts, method, task });
  const missing = (values: object, given: object) =>
    Object.entries(values).filter(([key]) => (given as Record<string, unknown>)[key] === undefined);
  const inTraining = missing(proposed.training, training);
  // An adapter that is continued has its own settings.
  const inSection =
    config.defaults === 'chosen' && config.adapter === undefined ? missing(proposed.section, settings) : [];
  const epochs = training.num_train_epochs ?? proposed.training.num_train_epochs;
  const isOpen = inTraining.some(([key]) => key === 'learning_rate' || key === 'num_train_epochs');
  const probes =
    isOpen &&
    training.linear_probe === undefined &&
    training.max_steps <= 0 &&
    config.adapter === undefined &&
    taskNamed(task).training.probeLoss !== undefined &&
    epochs * facts.rows < FEW_ROWS_SEEN;
  if (probes) inTraining.push(['linear_probe', true]);
  const { title } = methodNamed(method).words;
  const rows = `${facts.rows.toLocaleString('en')} rows`;
  const reasons: Readonly<Record<string, string>> = {
    learning_rate: `${title}, ${rows}, width ${widthOf(facts.model.linears)}`,
    num_train_epochs: `${rows} of about ${Math.round(facts.tokens)} tokens`,
    per_device_train_batch_size: rows,
    linear_probe: `${rows} are seen ${Number(epochs.toPrecision(3))} times`,
  };
  return {
    config: inSchemaOrder({
      ...config,
      training: { ...training, ...Object.fromEntries(inTraining) },
      ...(inSection.length > 0 && { [method]: { ...settings, ...Object.fromEntries(inSection) } }),
    } as RunConfig),
    chosen: [
      ...inTraining.map(([key, value]) => ({ key: `training.${key}`, value, reason: reasons[key] ?? title })),
      ...inSection.map(([key, value]) => ({ key: `${method}.${key}`, value, reason: title })),
    ],
  };
}

/** Returns a text such as "learning_rate 8e-3 (AdaLoRA, 420 rows)". */
export function describeChosen({ key, value, reason }: Chosen): string {
  return `${key.slice(key.indexOf('.') + 1)} ${shortest(value)} (${reason})`;
}

function shortest(value: unknown): string {
  if (typeof value !== 'number' || value === 0 || Math.abs(value) >= 0.01) return String(value);
  return value.toExponential();
}

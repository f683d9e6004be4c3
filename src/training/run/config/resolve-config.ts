import { methodNamed } from '../../../methods/tuners/registry.ts';
import type { CommonConfig, ModelDefinition } from '../../../models/model-definition.ts';
import { foldCount } from '../../../tasks/data-files.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import {
  type ChoiceInputs,
  FEW_ROWS,
  FOLDS,
  HELD_OUT,
  heldOutQueries,
  MIN_ROWS,
  measureWidth,
  policy,
} from './defaults/policy.ts';
import { sectionKeys } from './fill-in-defaults.ts';
import { readMethod } from './read-method.ts';
import type { ParsedConfig, RunConfig } from './run-config.ts';
import { knownKeys } from './run-schema.ts';

/*
 * Second pass over a config: values that the user did not set are resolved against facts, in the order in which facts are
 * known. A resumed run keeps its choices, then the rows decide how the run is scored, then their number and length decide
 * the rest. The first pass, `parseRunConfig`, checks the config itself.
 */

/** A value that was chosen because the config does not set it. */
export interface Chosen {
  /** The dotted key that was set. */
  key: string;
  value: unknown;
  /** The facts that the choice is based on. */
  reason: string;
}

/** The facts that the choice of a scoring depends on. */
export interface ScoringInputs {
  /** Number of rows in the training file. */
  rows: number;
  /** The model's family, and the fields of its config.json. */
  model: { definition: ModelDefinition; config: CommonConfig };
  /** The `data` section with which an adapter that is continued was trained. */
  adapterData?: Partial<Record<string, unknown>> | undefined;
  /** Whether enough rows are distinct to hold out a share of them. */
  canHoldOut(share: number): boolean;
  /** Whether enough rows are distinct for so many folds. */
  canFold(folds: number): boolean;
}

/**
 * Returns the config of a resumed run. Values that it does not set are those that were chosen when the run started,
 * even if another version chose them.
 *
 * @param before the run's config.yaml
 */
export function keepChoices(resumed: ParsedConfig, before: RunConfig): ParsedConfig {
  const { method, training, data } = resumed;
  // An early stop is not kept. Each resume must request it again.
  const { stop_at_step: _, ...begun } = before.training;
  const isOpen = data.validation === undefined && training.eval_strategy === undefined;
  const section = (config: object) => (config as Record<string, Record<string, unknown> | undefined>)[method];
  const [current, kept] = [section(resumed), section(before)];
  const chosen = kept && sectionKeys(method).flatMap((key) => (key in kept ? [[key, kept[key]]] : []));
  return {
    ...resumed,
    data: {
      ...data,
      ...(isOpen && before.data.validation && { validation: before.data.validation }),
      ...(!('pooling' in data) && 'pooling' in before.data && { pooling: before.data.pooling }),
    },
    training: { ...begun, ...training },
    ...(current && { [method]: { ...Object.fromEntries(chosen ?? []), ...current } }),
  } as ParsedConfig;
}

/** Keys of `training` that need evaluations while the run trains, or that a linear layer outside of the graph ignores. */
const NEEDS_EVALUATIONS = ['eval_strategy', 'load_best_model_at_end', 'early_stopping_patience'] as const;
const NEEDS_HEAD = ['compute_loss_func', 'label_smoothing_factor'] as const;

/**
 * Chooses how a run is scored, and what reads the rows, if the config does not say.
 *
 * - Few labeled rows are cross-validated, and a linear layer on sentence vectors classifies them.
 * - Of more rows, some are held out.
 */
export function chooseScoring<Config extends ParsedConfig>(
  config: Config,
  { rows, model, adapterData, canHoldOut, canFold }: ScoringInputs,
): { config: Config; chosen: Chosen[] } {
  const { data, training, task, adapter } = config;
  const chosen: Chosen[] = [];
  const choose = (key: string, value: unknown, reason: string) => {
    chosen.push({ key, value, reason });
    return value;
  };
  const { probing, comparesRows } = taskNamed(task).training;
  const judgesRows = probing !== undefined || comparesRows === true;
  const isOpen = config.defaults === 'chosen' && config.model_init === 'checkpoint' && adapter === undefined;
  const isFew = isOpen && judgesRows && rows <= FEW_ROWS;
  const counted = `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`;
  let changed: ParsedConfig['data'] = data;
  const given: Partial<Record<string, unknown>> = data;
  const open = Object.entries(probing?.(data, model) ?? {}).filter(([key]) => given[key] === undefined);
  if (adapterData) {
    // An adapter has no classification head if it was trained for a linear layer.
    const same = open.flatMap(([key]) => (adapterData[key] === undefined ? [] : [[key, adapterData[key]]]));
    changed = { ...data, ...Object.fromEntries(same) };
  } else if (isFew && NEEDS_HEAD.every((key) => !training[key])) {
    for (const [key, value] of open) choose(`data.${key}`, value, counted);
    changed = { ...data, ...Object.fromEntries(open) };
  }
  const asksEvaluations = NEEDS_EVALUATIONS.some((key) => training[key]);
  const isUnset = data.validation === undefined && training.eval_strategy !== 'no';
  if (isUnset && isFew && !asksEvaluations && canFold(FOLDS)) {
    changed = { ...changed, validation: choose('data.validation', `${FOLDS} folds`, counted) as string };
  } else if (
    isUnset &&
    config.defaults === 'chosen' &&
    taskNamed(task).files.countRows !== undefined &&
    (training.eval_strategy !== undefined || (rows >= MIN_ROWS && canHoldOut(HELD_OUT)))
  ) {
    const share = `${comparesRows ? heldOutQueries(rows) : 100 * HELD_OUT}%`;
    changed = { ...changed, validation: choose('data.validation', share, counted) as string };
  }
  const isFolded = foldCount(changed.validation) !== undefined;
  const isValidated = changed.validation !== undefined && !isFolded;
  const tooFew = rows < MIN_ROWS ? `${counted} are too few` : `too few of the ${counted} differ`;
  const eval_strategy =
    training.eval_strategy ??
    (choose(
      'training.eval_strategy',
      isValidated ? 'epoch' : 'no',
      isValidated
        ? 'there are rows to validate on'
        : isFolded
          ? `${changed.validation}`
          : `${tooFew} to hold some out`,
    ) as 'epoch' | 'no');
  // A probe of vectors is saved as another kind of files than a classification head.
  const keepsFiles = comparesRows === true || probing?.(changed, model) === changed;
  const takesFloor =
    calibrates(config) &&
    adapter === undefined &&
    keepsFiles &&
    training.floor === undefined &&
    (isFolded || (isValidated && eval_strategy !== 'no'));
  const floor = takesFloor
    ? (choose('training.floor', true, 'there are rows to judge by') as boolean)
    : training.floor;
  return {
    config: {
      ...config,
      data: changed,
      training: { ...training, eval_strategy, ...(floor !== undefined && { floor }) },
    },
    chosen,
  };
}

/**
 * Whether a run calibrates the probabilities of its result if the config does not say. With class weights, they are not
 * those of the rows, and another constant than the majority class would be the one to beat. The best evaluation keeps its
 * scores.
 */
export function calibrates({ defaults, training }: ParsedConfig): boolean {
  const isOpen = defaults === 'chosen' && training.floor !== false;
  return isOpen && !training.class_weights && !training.load_best_model_at_end;
}

/** Fills in the values that a config does not set. A complete config stays unchanged. */
export function chooseDefaults(
  config: ParsedConfig,
  facts: Omit<ChoiceInputs, 'method' | 'task'>,
): { config: RunConfig; chosen: Chosen[] } {
  const { method, task, training } = config;
  const { settings } = readMethod(config);
  const proposed = policy({ ...facts, method, task });
  const missing = (values: object, given: object) =>
    Object.entries(values).filter(([key]) => (given as Record<string, unknown>)[key] === undefined);
  const inTraining = missing(proposed.training, training);
  // An adapter that is continued has its own settings.
  const inSection =
    config.defaults === 'chosen' && config.adapter === undefined ? missing(proposed.section, settings) : [];
  const { title } = methodNamed(method).words;
  const rows = `${facts.rows.toLocaleString('en')} rows`;
  const reasons: Readonly<Record<string, string>> = {
    learning_rate: `${title}, ${rows}, width ${measureWidth(facts.model.linears)}`,
    num_train_epochs: `${rows} of about ${Math.round(facts.tokens)} tokens`,
    per_device_train_batch_size: rows,
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

/**
 * Returns a config with the keys of each section in the schema's order. Its YAML file and the model card show them in
 * that order. Otherwise, the order would differ between a new and a resumed run.
 */
function inSchemaOrder<Config extends ParsedConfig>(config: Config): Config {
  const known = knownKeys(config.task);
  const sections = Object.entries(config).map(([name, section]) => {
    const keys = known[name];
    if (!keys || typeof section !== 'object' || section === null) return [name, section];
    const values = section as Readonly<Record<string, unknown>>;
    const present = keys.filter((key) => Object.hasOwn(values, key));
    return [name, { ...Object.fromEntries(present.map((key) => [key, values[key]])), ...values }];
  });
  return Object.fromEntries(sections) as Config;
}

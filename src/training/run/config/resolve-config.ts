import type { CommonConfig, ModelDefinition } from '../../../models/model-definition.ts';
import { valueAt } from '../../../support/user-error.ts';
import { foldCount } from '../../../tasks/data-files.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import {
  type ChoiceInputs,
  chooseSection,
  FEW_ROWS,
  FOLDS,
  HELD_OUT,
  heldOutQueries,
  MIN_ROWS,
} from './defaults/policy.ts';
import { readMethod, sectionKeys } from './read-method.ts';
import { knownKeys, type ParsedConfig, type RunConfig } from './run-config.ts';
import { judgesRows, type Key, TRAINING_KEYS, usualStrategy } from './training-section.ts';

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

/** The facts of a config, its rows and its task. */
type Scoring = ParsedConfig & ScoringInputs & { about: ReturnType<typeof taskNamed>; isFew: boolean };

/** The ways to validate a run if the config does not say, in order: the first that fits. */
const VALIDATIONS: readonly { fits(run: Scoring): boolean; value(run: Scoring): string }[] = [
  {
    fits: (run) => run.isFew && !asks(run, 'evaluations') && run.canFold(FOLDS),
    value: () => `${FOLDS} folds`,
  },
  {
    fits: ({ defaults, about, training, rows, canHoldOut }) =>
      defaults === 'chosen' &&
      about.files.countRows !== undefined &&
      (training.eval_strategy !== undefined || (rows >= MIN_ROWS && canHoldOut(HELD_OUT))),
    value: ({ about, rows }) => `${about.training.comparesRows ? heldOutQueries(rows) : 100 * HELD_OUT}%`,
  },
];

/** Whether a config sets a key that needs something. */
function asks({ training }: ParsedConfig, need: Key['needs']): boolean {
  return Object.entries(TRAINING_KEYS).some(([key, { needs }]) => needs === need && valueAt(training, [key]));
}

/**
 * Chooses how a run is scored, and what reads the rows, if the config does not say.
 *
 * - Few labeled rows are cross-validated, and a linear layer on sentence vectors classifies them.
 * - Of more rows, some are held out.
 */
export function chooseScoring<Config extends ParsedConfig>(
  config: Config,
  inputs: ScoringInputs,
): { config: Config; chosen: Chosen[] } {
  const { rows, model, adapterData } = inputs;
  const { training, task, adapter } = config;
  const chosen: Chosen[] = [];
  const choose = <Value>(key: string, value: Value, reason: string) => {
    chosen.push({ key, value, reason });
    return value;
  };
  const isOpen = config.defaults === 'chosen' && config.model_init === 'checkpoint' && adapter === undefined;
  const about = taskNamed(task);
  const { probing, comparesRows, mayKeepStart } = about.training;
  const run = { ...config, ...inputs, about, isFew: isOpen && judgesRows(task) && rows <= FEW_ROWS };
  const counted = `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`;
  // The loss of a teacher's answers is that of a classification head.
  const isTaught = about.teaching?.sources(config.data).teacher !== undefined;
  const data: Record<string, unknown> & ParsedConfig['data'] = { ...config.data };
  for (const [key, value] of Object.entries(probing?.(data, model)?.reading ?? {})) {
    if (data[key] !== undefined) continue;
    // An adapter has no classification head if it was trained for a linear layer.
    if (adapterData?.[key] !== undefined) data[key] = adapterData[key];
    else if (!adapterData && run.isFew && !isTaught && !asks(run, 'head'))
      data[key] = choose(`data.${key}`, value, counted);
  }
  const way =
    data.validation === undefined && training.eval_strategy !== 'no'
      ? VALIDATIONS.find(({ fits }) => fits(run))
      : undefined;
  if (way) data.validation = choose('data.validation', way.value(run), counted);
  const isFolded = foldCount(data.validation) !== undefined;
  const usual = usualStrategy(data);
  const tooFew = rows < MIN_ROWS ? `${counted} are too few` : `too few of the ${counted} differ`;
  const reasons = { epoch: 'there are rows to validate on', no: `${tooFew} to hold some out` };
  const eval_strategy =
    training.eval_strategy ??
    choose('training.eval_strategy', usual, isFolded ? `${data.validation}` : reasons[usual]);
  // A probe of vectors is saved as another kind of files than a classification head.
  const keepsFiles = comparesRows || mayKeepStart || probing?.(data, model)?.isOfHead === true;
  const takesFloor =
    calibrates(config) &&
    adapter === undefined &&
    keepsFiles &&
    training.floor === undefined &&
    (isFolded || (usual === 'epoch' && eval_strategy !== 'no'));
  const floor = takesFloor ? choose('training.floor', true, 'there are rows to judge by') : training.floor;
  return {
    config: {
      ...config,
      data,
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
  amount: Omit<ChoiceInputs, 'method' | 'task'>,
): { config: RunConfig; chosen: Chosen[] } {
  const { method, task, training } = config;
  const { definition, settings } = readMethod(config);
  const { title } = definition.words;
  const facts = { ...amount, method, task };
  const given: Partial<Record<string, unknown>> = training;
  const inTraining = Object.entries(TRAINING_KEYS).flatMap(([key, { chosen }]) =>
    given[key] === undefined && chosen?.value
      ? [{ key, value: chosen.value(facts), reason: chosen.reason?.(facts) ?? title }]
      : [],
  );
  // An adapter that is continued has its own settings.
  const isOpen = config.defaults === 'chosen' && config.adapter === undefined;
  const inSection = Object.entries(isOpen ? chooseSection(facts) : {})
    .filter(([key]) => settings[key] === undefined)
    .map(([key, value]) => ({ key, value, reason: title }));
  const values = (chosen: readonly Chosen[]) =>
    Object.fromEntries(chosen.map(({ key, value }) => [key, value]));
  return {
    config: inSchemaOrder({
      ...config,
      training: { ...training, ...values(inTraining) },
      ...(inSection.length > 0 && { [method]: { ...settings, ...values(inSection) } }),
    } as RunConfig),
    chosen: [
      ...inTraining.map((one) => ({ ...one, key: `training.${one.key}` })),
      ...inSection.map((one) => ({ ...one, key: `${method}.${one.key}` })),
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

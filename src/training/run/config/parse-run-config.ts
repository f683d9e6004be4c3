import type { z } from 'zod';
import { METHOD_NAMES, methodNamed } from '../../../methods/tuners/registry.ts';
import { ownMetricProblems } from '../../../scores/metrics/own-metrics.ts';
import { isObject } from '../../../support/options.ts';
import { listed, nearest, suggest } from '../../../support/text.ts';
import {
  InvalidConfig,
  type KeyPath,
  type Problem,
  shown,
  UserError,
  valueAt,
} from '../../../support/user-error.ts';
import { foldCount, heldOutShare, placeProblems, withSplits } from '../../../tasks/data-files.ts';
import type { BaseData } from '../../../tasks/prediction.ts';
import { type TaskName, taskNamed, tasksWith } from '../../../tasks/registry.ts';
import { sectionKeys } from './read-method.ts';
import {
  COMMON_KEYS,
  type KnownKeys,
  knownKeys,
  type ParsedConfig,
  type RunConfig,
  type RunSchema,
  runSchema,
  type SoundConfig,
  type TaskSection,
} from './run-config.ts';
import { judgesRows, type Key, TRAINING_KEYS } from './training-section.ts';

/**
 * Checks a config and fills in the defaults, except those that depend on the rows and the model (`resolve-config.ts`). A known key with the
 * value null counts as missing. A resolved config stays unchanged.
 *
 * @param where the file's name for messages, or a function that returns the place of a key
 * @param ownMetrics names of custom scores, which may select the best model
 * @throws UserError with one line per problem: place, expected value, actual value, nearest known key
 */
export function parseRunConfig(
  value: { defaults: 'huggingface'; [key: string]: unknown },
  where: string | ((path: KeyPath) => string),
  ownMetrics?: readonly string[],
): RunConfig;
export function parseRunConfig(
  value: unknown,
  where: string | ((path: KeyPath) => string),
  ownMetrics?: readonly string[],
): ParsedConfig;
export function parseRunConfig(
  value: unknown,
  where: string | ((path: KeyPath) => string),
  ownMetrics: readonly string[] = [],
): ParsedConfig {
  assertShallow(value, typeof where === 'string' ? where : where([]));
  const schema = runSchema();
  const task = schema.shape.task.safeParse(Object(value).task ?? undefined).data;
  const known = knownKeys(task);
  const config = withoutNulls(value, known);
  const checked = task ? schema.extend({ data: taskNamed(task).data }) : schema;
  const result = checked.safeParse(config);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, config, known)),
    ...crossCheck(soundConfig(config, task), ownMetrics),
  ];
  if (problems.length > 0 || !result.success) {
    const messages = problems.map(({ path, ...complaint }) => {
      const place = typeof where === 'string' ? where : where(path);
      const key = path.length === 0 ? 'config' : path.join('.');
      return new UserError({ where: place, key, ...complaint }).message;
    });
    throw new UserError(messages.join('\n'), 'invalid_config');
  }
  return fillInDefaults(result.data, config, ownMetrics);
}

/** No config has more sections inside each other. */
const MAX_DEPTH = 20;

/** @throws UserError for sections inside each other without end, such as an object of a program that contains itself */
export function assertShallow(value: unknown, where: string, path: readonly string[] = []): void {
  if (!isObject(value)) return;
  const fault = 'is nested too deeply, or contains itself';
  if (path.length > MAX_DEPTH) throw new InvalidConfig({ where, key: path[0]!, fault });
  for (const [key, inner] of Object.entries(value)) assertShallow(inner, where, [...path, key]);
}

/**
 * A config without the keys that are null. A key that its section does not have stays, so that it is reported: YAML
 * reads `{target_r:8}` as such a key.
 */
function withoutNulls(value: unknown, known: KnownKeys, section = ''): unknown {
  if (!isObject(value)) return value;
  const keys = known[section];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null || (keys && !keys.includes(key)))
      .map(([key, inner]) => [key, withoutNulls(inner, known, section === '' ? key : `${section}.${key}`)]),
  );
}

/** Returns the valid parts of a config. */
function soundConfig(value: unknown, task: TaskName | undefined): SoundConfig {
  const { shape } = runSchema();
  const section = Object(value) as Record<string, unknown>;
  const common = Object.keys(COMMON_KEYS) as (keyof typeof shape)[];
  const sound: SoundConfig = Object.fromEntries(
    common.map((key) => [key, shape[key].safeParse(section[key]).data]),
  );
  const { method } = sound;
  const training = Object(section.training) as Record<string, unknown>;
  const data = task && (taskNamed(task).data.strip().safeParse(section.data).data as BaseData | undefined);
  return {
    ...sound,
    task,
    settings: method && methodNamed(method).config?.prefault({}).safeParse(section[method]).data,
    data: data && withSplits(data, training.eval_strategy !== 'no'),
    training: shape.training.safeParse(section.training).data,
  };
}

/**
 * Finds problems between keys that are each valid.
 *
 * @param ownMetrics names of custom scores
 */
export function crossCheck(config: SoundConfig, ownMetrics: readonly string[] = []): Problem[] {
  const { task, data, training } = config;
  return [
    ...ownMetricProblems(ownMetrics),
    ...(task && data ? answerProblems(ownMetrics, task, data) : []),
    ...applyRules([], COMMON_KEYS, config),
    ...(task && data ? (taskNamed(task).problems?.(data) ?? []) : []),
    ...(data ? placeProblems(data) : []),
    ...(task && data ? splitProblems(task, data) : []),
    ...(training ? applyRules(['training'], TRAINING_KEYS, { ...config, ...training, ownMetrics }) : []),
  ];
}

function applyRules<Inputs>(
  section: readonly string[],
  keys: Readonly<Record<string, Key<Inputs>>>,
  config: Inputs,
): Problem[] {
  return Object.entries(keys).flatMap(([key, { rules }]) =>
    (rules?.(config) ?? [])
      .filter(([isBroken]) => isBroken)
      .map(([, fault, hint, option]) => ({
        path: [...section, key, ...(option === undefined ? [] : [option])],
        fault,
        hint,
      })),
  );
}

function splitProblems(task: TaskName, { validation }: BaseData): Problem[] {
  const path = ['data', 'validation'];
  if (foldCount(validation) !== undefined && !judgesRows(task)) {
    const fault = `must be a file or a share such as 10% for task ${task}, whose rows are not scored one by one, got ${shown(validation)}`;
    return [{ path, fault }];
  }
  if (heldOutShare(validation) === undefined || taskNamed(task).files.splittable) return [];
  const fault = `must be a file for task ${task}, which cannot hold out rows, got ${shown(validation)}`;
  return [{ path, fault }];
}

/** Finds tasks whose evaluations do not report predictions, which custom scores need. */
function answerProblems(ownMetrics: readonly string[], task: TaskName, data: BaseData): Problem[] {
  if (ownMetrics.length === 0 || taskNamed(task).scores.tellsAnswers?.(data)) return [];
  const fault = `(${ownMetrics.join(', ')}) cannot be computed, because ${task} evaluates the loss only with this data section`;
  return [{ path: ['metrics'], fault }];
}

type SchemaOutput = z.output<RunSchema>;

/**
 * Fills in defaults that depend on other keys, and removes the sections of other methods. Values that depend on the
 * rows and the model are left to `chooseDefaults`.
 */
function fillInDefaults(
  parsed: SchemaOutput,
  userConfig: unknown,
  ownMetrics: readonly string[],
): ParsedConfig {
  const data = withSplits(parsed.data as unknown as BaseData, parsed.training.eval_strategy !== 'no');
  const checked = { ...parsed, data } as Omit<SchemaOutput, 'task' | 'data'> & TaskSection;
  const { method, adapter } = checked;
  const given = Object(userConfig) as Record<string, object | undefined>;
  const isChosen = checked.defaults === 'chosen';
  const training: Record<string, unknown> = { ...checked.training };
  for (const [key, { complete, chosen }] of Object.entries(TRAINING_KEYS)) {
    const run = { ...checked, ...(training as typeof checked.training), ownMetrics };
    const isOpen = isChosen && chosen && !(key in Object(given.training)) && !chosen.isSettled?.(run);
    if (isOpen) delete training[key];
    else if (complete) training[key] = complete(run);
  }
  const { training: _, method: __, ...rest } = checked;
  const run = without(rest, (key) => METHOD_NAMES.some((name) => name === key));
  const section = (checked as Record<string, unknown>)[method] as object | undefined;
  const open = isChosen ? sectionKeys(method) : [];
  const isOpen = (key: string) => adapter !== undefined || open.includes(key);
  const settings = section && without(section, (key) => !(key in (given[method] ?? {})) && isOpen(key));
  return {
    ...run,
    training: without(training, () => false),
    method,
    ...(settings && { [method]: settings }),
  } as ParsedConfig;
}

/** A section without some keys, and without those that are undefined. */
function without(section: object, isLeftOut: (key: string) => boolean): object {
  return Object.fromEntries(
    Object.entries(section).filter(([key, value]) => value !== undefined && !isLeftOut(key)),
  );
}

type Issue = z.core.$ZodIssue;

/** Converts a zod issue to problems: one, or one for each unknown key. */
function describeIssue(issue: Issue, config: unknown, known: KnownKeys): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      fault: 'is not a known key',
      hint: describePlace(key, path.join('.'), known),
    }));
  }
  const got = valueAt(config, path);
  if (got === undefined && issue.code !== 'custom') {
    const hint = path.length > 0 ? `Set ${path.join('.')} in the config.` : undefined;
    return [{ path, fault: `is required (${expectation(issue)})`, hint }];
  }
  const fault = ownFault(issue);
  if (fault !== undefined) return [{ path, fault }];
  return [{ path, expected: expectation(issue), got: shown(got), hint: nearValue(issue, got) }];
}

/** The fault in an issue of a schema's own check. Its message begins in lower case, but not with "expected". */
function ownFault({ message }: Issue): string | undefined {
  return /^[a-z]/.test(message) && !message.startsWith(OWN_MESSAGE) ? message : undefined;
}

/** Keys of PEFT's AdaLoraConfig that sections with a target rank do not have. */
const OF_PEFT: Readonly<Record<string, string>> = {
  r: 'The rank is target_r. It starts at init_r.',
  total_step: 'Remove it: the steps are counted from the data.',
  task_type: 'Set task at the top level.',
};

/** Names the section that a misplaced key belongs to. */
function describePlace(key: string, section: string, known: KnownKeys): string {
  if (known[section]?.includes('target_r') && Object.hasOwn(OF_PEFT, key)) return OF_PEFT[key]!;
  const [, name, value] = /^(\w+):(\S.*)$/.exec(key) ?? [];
  if (known[section]?.includes(name!)) return `YAML needs a space after the colon: ${name}: ${value}`;
  const home = Object.keys(known).find((name) => known[name]!.includes(key));
  if (home !== undefined) return home === '' ? `${key} belongs at the top level.` : `It is a key of ${home}.`;
  const tasks = section === 'data' ? tasksWith(key) : [];
  return tasks.length > 0
    ? `It is a key of task ${listed(tasks, 'or')}.`
    : suggest(key, known[section] ?? []);
}

function nearValue(issue: Issue, got: unknown): string | undefined {
  const issues = issue.code === 'invalid_union' ? issue.errors.flat() : [issue];
  const values = issues.flatMap((each) => (each.code === 'invalid_value' ? each.values : []));
  if (typeof got !== 'string') return undefined;
  const near = nearest(got, values.map(String));
  return near.length > 0 ? `Did you mean ${near[0]}?` : undefined;
}

/** The noun phrase after "must be". In a schema's own messages, it follows "expected". */
function expectation(issue: Issue): string {
  if (issue.message.startsWith(OWN_MESSAGE)) return issue.message.slice(OWN_MESSAGE.length);
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? `a value of type ${issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string') return 'a non-empty string';
      if (issue.origin === 'array') return 'a list with at least one entry';
      return `${issue.inclusive ? 'at least' : 'greater than'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_value':
      return `${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return [...new Set(issue.errors.map(([first]) => expectation(first!)))].join(' or ');
    case 'invalid_format':
      return 'pattern' in issue
        ? `a string that matches ${issue.pattern}`
        : `a string in ${issue.format} format`;
    default:
      return `another value (${issue.message})`;
  }
}

const OWN_MESSAGE = 'expected ';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with keys',
  record: 'a section with keys',
};

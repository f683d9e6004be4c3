import type { Baseline } from '../baselines/baseline.ts';
import { type HeldOut, holdOut, splittableTogether } from '../data/split-rows.ts';
import type { TextFile } from '../data/text-file.ts';
import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import type { CommonConfig } from '../models/model-definition.ts';
import type { Communicator } from '../parallel/communicator.ts';
import type { ExampleSet } from '../program/example-set.ts';
import { mixedCount, mixedSet } from '../program/mixture.ts';
import { type OwnScores, withOwnScores } from '../program/own-scores.ts';
import { type Validation, validationOf } from '../program/validation.ts';
import { type Chosen, chooseDefaults, chooseEvaluation } from '../run/config/defaults/choose-defaults.ts';
import { methodOf } from '../run/config/method-of.ts';
import type { ParsedConfig, RunConfig } from '../run/config/run-config.ts';
import { lazy } from '../support/lazy.ts';
import { UserError } from '../support/user-error.ts';
import { chiefScore } from '../tasks/chief-score.ts';
import { alikeLabels } from '../tasks/classes/labels.ts';
import { heldOutShare, mixingOf, trainingFiles } from '../tasks/data-files.ts';
import { type AnyTask, maxLengthOf, taskNamed } from '../tasks/registry.ts';
import type { BuildTask } from '../tasks/task-definition.ts';
import type { Family } from '../trained/bind-model.ts';
import type { Notes } from '../trained/notes.ts';
import type { TrainedParts } from '../trained/trained-model.ts';
import type { OwnFunctions } from '../tuners/own-function.ts';
import { assertFits } from './assert-fits.ts';
import { classWeights } from './class-weights.ts';
import { notScored } from './verdict/not-scored.ts';

/** The adapter from which a run starts. */
export interface StartingAdapter {
  stored: StoredAdapter;
  notes?: Notes;
}

/** The inputs of a run, from files or from memory. */
export interface RunMaterial {
  /** The config. Missing keys are taken from the starting adapter. */
  config: ParsedConfig;
  start?: StartingAdapter;
  family: Family;
  text: TrainedParts['text'];
  generationFiles: TrainedParts['generationFiles'];
  /** The files of each source of training rows. */
  train: readonly { name: string; files: readonly TextFile[] }[];
  /** The files of each validation set. */
  validation: readonly { name: string; files: readonly TextFile[] }[];
  /** Custom scores. */
  ownScores?: OwnScores;
  functions?: OwnFunctions;
}

/** The common preparation of `train` and `plan`. */
export interface RunBeginning {
  config: RunConfig;
  /** The values that were chosen because the user did not set them. */
  chosen: readonly Chosen[];
  start?: StartingAdapter;
  /** The caller's functions; the config contains their names. */
  functions?: OwnFunctions;
  /** Token ids of a text, special tokens included. */
  encodeText(text: string): Int32Array;
  /** The config's `data` section. Missing settings are taken from the files. */
  data: RunConfig['data'];
  /** Class names by id; empty for tasks without classes. */
  labels: readonly string[];
  build: BuildTask;
  /** The only base type that the adapter fits. Undefined if it fits all. */
  onlyBase?: 'int4';
  /** Maximum tokens per example. */
  maxLength: number;
  /** Notices from reading the files. */
  notices: readonly string[];
  /**
   * Logits that give each class its share of the rows. Present if the final model may predict only the
   * majority class.
   */
  constant?: readonly number[];
  /** Weight of each class in training; undefined if all are equal. */
  classWeights?: readonly number[];
  /**
   * Baselines on the validation set that selects the best model; empty if the set has no rows. Call it after
   * `encode`. The first call fits the baselines.
   */
  baselines(): readonly Baseline[];
  /**
   * Tokenizes all examples, divided among the run's processes.
   *
   * @param startedAt the time that chat templates use
   */
  encode(
    startedAt: Date,
    onProgress?: (share: number) => void,
    communicator?: Communicator,
  ): { train: ExampleSet; validation?: Validation };
}

/**
 * Reads the data of a run and determines its classes.
 *
 * @throws UserError for bad rows with their lines, and for classes that the adapter does not have
 */
export function beginRun({
  config: parsed,
  start,
  family,
  text,
  generationFiles,
  ownScores,
  functions,
  ...files
}: RunMaterial): RunBeginning {
  const task = taskNamed(parsed.task);
  const sources = files.train.map(({ name, files }) => ({
    ...{ name, files },
    rows: task.files.read(files, parsed.data),
  }));
  const parts = sources.map(({ rows }) => rows);
  const all = joined(task, parts);
  const split = (share: number) => splitSources(task, parts, parsed.data, share);
  const evaluated = chooseEvaluation(parsed, task.files.countRows?.(all) ?? 0, (share) =>
    isPossible(() => split(share)),
  );
  const { data } = evaluated.config;
  const share = heldOutShare(data.validation);
  const held = share === undefined ? undefined : split(share);
  const train = held ? joined(task, held.train) : all;
  const counts = sources.map(
    ({ files, rows }, i) => task.files.countRows?.(held ? held.train[i] : rows) ?? files.length,
  );
  const mixing = mixingOf(data);
  const validation = held
    ? [{ name: 'validation', rows: joined(task, held.validation) }]
    : files.validation.map(({ name, files }) => ({ name, rows: task.files.read(files, data) }));
  const labels =
    task.classes?.labels(all, {
      fileName: [data.dataset, ...trainingFiles(data)].filter((part) => part !== undefined).join(', '),
      ...family,
      adapter: start && {
        path: String(parsed.adapter),
        labels: start.notes?.labels,
        tensors: start.stored.tensors,
      },
    }) ?? [];
  const build = task.build(labels, data);
  const model = build(family.definition, family.config);
  assertFits(evaluated.config, model);
  const { config, chosen } = chooseDefaults(evaluated.config, {
    model,
    ...amountOf(
      sources.flatMap(({ files }) => files),
      task.files.countRows?.(all),
      mixing ? mixedCount(counts, mixing) : task.files.countRows?.(train),
      text.maxLength,
    ),
  });
  const evalBatchSize = config.training.per_device_eval_batch_size;
  const { set } = chiefScore(config);
  const decisive = config.training.eval_strategy === 'no' ? undefined : validation[set];
  const classes = task.classes?.counts?.(train, labels);
  const weights = classWeights(config.training, labels, classes);
  const constant = config.training.fall_back_to_majority
    ? classes?.map((count) => Math.log(Math.max(count, 0.5)))
    : undefined;
  const { definition, settings } = methodOf(config);
  const onlyBase = definition.requiredBase?.(settings)?.dtype ?? start?.notes?.base_dtype;
  let encoded: { train: ExampleSet; validation?: Validation } | undefined;
  return {
    config,
    chosen: [...evaluated.chosen, ...chosen],
    start,
    functions,
    encodeText: (words) => text.tokenizer.encode(words, undefined, text.maxLength).inputIds,
    ...(weights && { classWeights: weights }),
    ...(constant && { constant }),
    ...(onlyBase && { onlyBase }),
    data: { ...data, ...task.files.detected?.(all, data) } as RunConfig['data'],
    labels,
    build,
    maxLength: text.maxLength,
    notices: [
      ...[all, ...(held ? [] : validation.map(({ rows }) => rows))].flatMap(
        (rows) => task.files.notices?.(rows) ?? [],
      ),
      ...alikeLabels(labels),
      ...loweredLength(config, family.config),
      ...notScored(evaluated.chosen).map((why) => `The model will not be scored${why}`),
    ],
    baselines: lazy(() => {
      if (!decisive) return [];
      const scored = encoded?.validation?.parts[set]?.examples;
      const ofRows = task.baselines?.ofRows?.(train, decisive.rows, { labels, reading: data });
      const ofTokens = encoded && scored && task.baselines?.ofTokens?.(encoded.train, scored, text.vocabSize);
      return [...(ofRows ?? []), ...(ofTokens ?? [])];
    }),
    encode(startedAt, onProgress, communicator) {
      const { tokenizer, maxLength, vocabSize } = text;
      const context = {
        ...{ tokenizer, maxLength, vocabSize, config: family.config, generationFiles },
        chatTemplate: () => text.chatTemplate(startedAt),
        ...{ reading: data, labels, seed: config.seed, onProgress, communicator },
        predictsFirst: definition.virtualTokens?.(settings).predictsFirst ?? false,
      };
      const examples = task.examples(train, {
        ...context,
        classWeights: weights,
        ...(mixing && { sources: counts }),
      });
      const named = sources.map(({ name }, i) => ({ name, rows: counts[i]! }));
      encoded = {
        train: mixing ? mixedSet(examples, named, mixing, config.seed) : examples,
        validation: validationOf(
          validation.map(({ name, rows }) => [
            name,
            withOwnScores(task.evaluation(rows, context, evalBatchSize), ownScores),
          ]),
        ),
      };
      return encoded;
    },
  };
}

/** Joins the rows of several sources. */
export function joined(task: AnyTask, parts: readonly unknown[]): unknown {
  return parts.length === 1 ? parts[0] : task.files.join(parts);
}

/** Holds out a share of the rows of all sources. A text that is in two of them stays on one side. */
export function splitSources(
  { files }: AnyTask,
  sources: readonly unknown[],
  reading: object,
  share: number,
): HeldOut<unknown[]> | undefined {
  const { splittable } = files;
  return splittable && holdOut(splittableTogether(sources.map((rows) => splittable(rows, reading))), share);
}

function isPossible(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Typical for English. The estimate counts all columns as text, so it is too high for files with other columns. */
const CHARACTERS_OF_A_TOKEN = 4;

/**
 * Estimates the amount of training data without tokenizing it.
 *
 * @param rows number of rows in the files
 * @param kept number of training rows among them; undefined if examples are not rows, but blocks of the
 * maximum length
 */
function amountOf(
  files: readonly TextFile[],
  rows: number | undefined,
  kept: number | undefined,
  maxLength: number,
): { rows: number; tokens: number } {
  const tokens = files.reduce((sum, { size }) => sum + size, 0) / CHARACTERS_OF_A_TOKEN;
  if (rows === undefined || kept === undefined)
    return { rows: Math.max(1, Math.ceil(tokens / maxLength)), tokens: maxLength };
  return { rows: kept, tokens: Math.max(1, Math.min(maxLength, tokens / Math.max(1, rows))) };
}

/** The notice that the default maximum length was lowered, because the model has fewer positions. */
function loweredLength({ task, data }: RunConfig, config: CommonConfig): string[] {
  const { key, requested, unlowered } = maxLengthOf(task, data, config);
  if (unlowered === undefined) return [];
  return [
    `data.${key} is ${requested}, because the model has only ${requested} positions (default: ${unlowered}).`,
  ];
}

import { foldsOf, type HeldOut, holdOut, splittableTogether } from '../../input/data/split-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { OwnFunctions } from '../../methods/tuners/own-function.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import type { EvaluatedRows, ExampleSet } from '../../program/example-set.ts';
import { mixedCount, mixedSet } from '../../program/mixture.ts';
import type { Modality } from '../../program/modalities/modality.ts';
import { textsOf } from '../../program/modalities/texts.ts';
import { type OwnScores, withOwnScores } from '../../program/own-scores.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { type Validation, validationOf } from '../../program/validation.ts';
import { type Baseline, meanBaselines } from '../../scores/baselines/baseline.ts';
import { lazy } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import { chiefScore } from '../../tasks/chief-score.ts';
import { alikeLabels } from '../../tasks/classes/labels.ts';
import { foldCount, heldOutShare, mixingOf, trainingFiles } from '../../tasks/data-files.ts';
import { type AnyTask, maxLengthOf, taskNamed } from '../../tasks/registry.ts';
import type { BuildTask } from '../../tasks/task-definition.ts';
import { methodOf } from '../../training/run/config/method-of.ts';
import { type Chosen, chooseDefaults, chooseScoring } from '../../training/run/config/resolve-config.ts';
import type { ParsedConfig, RunConfig } from '../../training/run/config/run-config.ts';
import type { Family } from '../../use/trained/bind-model.ts';
import type { Notes } from '../../use/trained/notes.ts';
import type { TrainedParts } from '../../use/trained/trained-model.ts';
import { classWeights } from './class-weights.ts';
import { layerFitter } from './contenders/fit-rows.ts';
import { assertFits } from './start-method.ts';
import { notScored } from './verdict/judge-run.ts';

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
  modality: Modality;
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
  ownScores?: OwnScores | undefined;
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
   * The numbers of the training rows that each fold of a cross-validation holds out. Undefined if the run is not
   * cross-validated.
   */
  folds?: readonly (readonly number[])[] | undefined;
  /** Weight of each class in training; undefined if all are equal. */
  classWeights?: readonly number[];
  /**
   * Baselines on the rows that judge the run: those of the validation set, or of all folds. Empty if there are none. Call
   * it after `encode`. The first call fits the baselines.
   */
  baselines(): Promise<readonly Baseline[]>;
  /**
   * Tokenizes all examples, divided among the run's processes.
   *
   * @param startedAt the time that chat templates use
   */
  encode(startedAt: Date, onProgress?: (share: number) => void, communicator?: Communicator): EncodedRun;
}

/** A run's rows in the form that the model reads. */
export interface EncodedRun {
  train: ExampleSet;
  validation?: Validation;
  /** The training rows, and those of the validation set that judges the run, as a linear probe reads them. */
  rows?: EvaluatedRows | undefined;
  /** The training rows of a cross-validation, as the run's own head reads them. */
  headRows?: EvaluatedRows | undefined;
  validationRows?: EvaluatedRows | undefined;
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
  modality,
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
  const evaluated = chooseScoring(parsed, {
    rows: task.files.countRows?.(all) ?? 0,
    model: family,
    adapterData: start?.notes?.data,
    canHoldOut: (share) => isPossible(() => split(share)),
    canFold: (count) => isPossible(() => foldRows(task, all, parsed.data, count)),
  });
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
      modality.maxLength,
    ),
    ...(modality.tokens !== undefined && { tokens: modality.tokens }),
  });
  const evalBatchSize = config.training.per_device_eval_batch_size;
  const { set } = chiefScore(config);
  const decisive = config.training.eval_strategy === 'no' ? undefined : validation[set];
  const classes = task.classes?.counts?.(train, labels);
  const weights = classWeights(config.training, labels, classes);
  const { definition, settings } = methodOf(config);
  const onlyBase = definition.requiredBase?.(settings)?.dtype ?? start?.notes?.base_dtype;
  const count = foldCount(data.validation);
  const folds = count === undefined ? undefined : foldRows(task, train, data, count);
  let encoded: EncodedRun | undefined;
  return {
    config,
    chosen: [...evaluated.chosen, ...chosen],
    start,
    functions,
    ownScores,
    encodeText: (words) => textsOf(modality).encode(words).inputIds,
    ...(weights && { classWeights: weights }),
    ...(onlyBase && { onlyBase }),
    folds: folds?.map(({ validation }) => validation),
    data: { ...data, ...task.files.detected?.(all, data) } as RunConfig['data'],
    labels,
    build,
    maxLength: modality.maxLength,
    notices: [
      ...[all, ...(held ? [] : validation.map(({ rows }) => rows))].flatMap(
        (rows) => task.files.notices?.(rows) ?? [],
      ),
      ...alikeLabels(labels),
      ...loweredLength(config, family.config),
      ...notScored(evaluated.chosen).map((why) => `The model will not be scored${why}`),
    ],
    baselines: lazy(async () => {
      const context = { labels, reading: data };
      const splittable = task.files.splittable?.(train, data);
      if (folds && splittable) {
        const found = [];
        for (const { train, validation } of folds) {
          const parts = [splittable.pick(train), splittable.pick(validation)] as const;
          const baselines = (await task.baselines?.ofRows?.(...parts, context)) ?? [];
          found.push({ rows: validation.length, baselines });
        }
        return meanBaselines(found);
      }
      if (!decisive) return [];
      const scored = encoded?.validation?.parts[set]?.examples;
      const ofRows = await task.baselines?.ofRows?.(train, decisive.rows, context);
      const ofTokens =
        encoded && scored && task.baselines?.ofTokens?.(encoded.train, scored, family.config.vocabSize);
      return [...(ofRows ?? []), ...(ofTokens ?? [])];
    }),
    encode(startedAt, onProgress, communicator) {
      const context = {
        ...{ modality: modality.at(startedAt), config: family.config, generationFiles },
        ...{ reading: data, labels, seed: config.seed, onProgress, communicator },
        predictsFirst: definition.virtualTokens?.(settings).predictsFirst ?? false,
      };
      const probing = mixing ? undefined : task.training.probing?.(data, family);
      // A linear probe reads the rows in its own way, which may be the run's. Otherwise it needs rows that judge it.
      const isSame = probing === data;
      const isProbed = isSame || folds !== undefined || decisive !== undefined;
      const onTrain =
        probing && isProbed
          ? task.evaluation(train, { ...context, reading: probing, classWeights: weights }, evalBatchSize)
          : undefined;
      const examples =
        isSame && onTrain
          ? onTrain.examples
          : task.examples(train, { ...context, classWeights: weights, ...(mixing && { sources: counts }) });
      const layer = onTrain?.rows && layerFitter(onTrain.rows, weights);
      const scored = validation.map(({ rows }) =>
        task.evaluation(rows, { ...context, layer }, evalBatchSize),
      );
      const named = sources.map(({ name }, i) => ({ name, rows: counts[i]! }));
      encoded = {
        train: mixing ? mixedSet(examples, named, mixing, config.seed) : examples,
        validation: validationOf(
          validation.map(({ name }, i) => [name, withOwnScores(scored[i]!, ownScores)]),
        ),
        rows: onTrain?.rows,
        headRows: isSame
          ? onTrain?.rows
          : folds && task.evaluation(train, { ...context, classWeights: weights }, evalBatchSize).rows,
        validationRows: isSame
          ? scored[set]?.rows
          : decisive &&
            probing &&
            task.evaluation(decisive.rows, { ...context, reading: probing }, evalBatchSize).rows,
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

/** Splits the numbers of rows into folds. Undefined if the task's rows cannot be split. */
function foldRows(
  { files }: AnyTask,
  rows: unknown,
  reading: object,
  count: number,
): HeldOut<number[]>[] | undefined {
  const splittable = files.splittable?.(rows, reading);
  return splittable && foldsOf({ ...splittable, pick: (numbers) => [...numbers] }, count);
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

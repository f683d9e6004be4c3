import { type HeldOut, holdOut, splitFolds } from '../../input/data/split-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { FileDigest } from '../../input/formats/files.ts';
import { EMBEDDED_MODEL } from '../../input/hub/model-id.ts';
import { looksEnglish } from '../../input/text/looks-english.ts';
import type { Modality } from '../../program/modalities/modality.ts';
import type { OwnFunctions } from '../../program/objectives/own-function.ts';
import type { OwnScores } from '../../program/own-scores.ts';
import { addUp } from '../../support/numbers.ts';
import { lazy } from '../../support/options.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { alikeLabels } from '../../tasks/classes/labels.ts';
import { foldCount, heldOutShare, trainingFiles } from '../../tasks/data-files.ts';
import { findMaxLength, taskNamed } from '../../tasks/registry.ts';
import type { AnyTask, BuildTask } from '../../tasks/task-definition.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import { type Chosen, chooseDefaults, chooseScoring } from '../../training/run/config/resolve-config.ts';
import type { ParsedConfig, RunConfig } from '../../training/run/config/run-config.ts';
import type { TrainingConfig } from '../../training/run/config/training-section.ts';
import type { Finding } from '../../training/run/verdict.ts';
import type { Family } from '../../use/trained/bind-model.ts';
import type { Notes } from '../../use/trained/notes.ts';
import type { TrainedParts } from '../../use/trained/trained-model.ts';
import type { BaseOfRun } from './machine.ts';

/**
 * Explains why evaluation was turned off by default, and what to do, as the end of a sentence. Empty if it was not turned off.
 */
export function notScored(chosen: readonly Chosen[]): string[] {
  return chosen
    .filter(({ key, value }) => key === 'training.eval_strategy' && value === 'no')
    .filter(() => !chosen.some(({ key }) => key === 'data.validation'))
    .map(
      ({ reason }) =>
        `, because ${reason}. Set data.validation to a file of labeled rows, or label more rows.`,
    );
}

/**
 * The weight of each class according to a config; undefined if all are equal.
 *
 * @param counts number of training rows of each class
 * @throws UserError for unknown labels
 */
export function classWeights(
  { class_weights: weights }: Pick<TrainingConfig, 'class_weights'>,
  labels: readonly string[],
  counts: readonly number[] = [],
): readonly number[] | undefined {
  if (weights === undefined) return undefined;
  if (weights === 'balanced') {
    const rows = addUp(counts);
    return counts.map((count) => rows / (counts.length * Math.max(1, count)));
  }
  const unknown = Object.keys(weights).find((label) => !labels.includes(label));
  if (unknown === undefined) return labels.map((label) => weights[label] ?? 1);
  throw new UserError({
    key: 'training.class_weights',
    fault: `has a label that no training row has: ${JSON.stringify(unknown)}`,
    hint: suggest(unknown, labels),
    code: 'unknown_label',
  });
}

/** The adapter from which a run starts. */
export interface StartingAdapter {
  stored: StoredAdapter;
  notes?: Notes;
}

/** A run with everything that is read for it before the weights. */
export interface ReadRun extends BaseOfRun {
  start?: StartingAdapter;
  family: Family;
  modality: Modality;
  generationFiles: TrainedParts['generationFiles'];
  /** Custom scores. */
  ownScores?: OwnScores;
  /** The caller's functions; the config contains their names. */
  functions?: OwnFunctions;
  rows: RunRows;
  /** The values that were chosen because the user did not set them. */
  chosen: readonly Chosen[];
  /** The config's `data` section. Missing settings are taken from the files. */
  data: RunConfig['data'];
  /** Class names by id; empty for tasks without classes. */
  labels: readonly string[];
  build: BuildTask;
  /** The only base type that the adapter fits. Undefined if it fits all. */
  onlyBase?: 'int4' | undefined;
  /** Maximum tokens per example. */
  maxLength: number;
  /** Notices from reading the files. */
  notices: readonly string[];
  /** A warning about rows in a language that the model does not read. */
  language?: Finding | undefined;
  /**
   * The numbers of the training rows that each fold of a cross-validation holds out. Undefined if the run is not
   * cross-validated.
   */
  folds?: readonly (readonly number[])[] | undefined;
  /** Weight of each class in training; undefined if all are equal. */
  classWeights?: readonly number[] | undefined;
  /** Everything that determines the run's values: the data, the starting adapter, the model. The weights are last. */
  digests(): Promise<readonly FileDigest[]>;
  /** The digests of the weight files, which are hashed once. Empty for random weights. */
  weightDigests(): Promise<readonly FileDigest[]>;
}

/** The parts of a run before its data is read. {@link beginRun} passes most of them on. */
interface RunFiles
  extends Pick<ReadRun, 'start' | 'family' | 'modality' | 'generationFiles' | 'ownScores' | 'functions'> {
  /** Missing keys are taken from the starting adapter. */
  config: ParsedConfig;
  /** The files of each source of training rows. */
  train: readonly NamedFiles[];
  /** The files of each validation set. */
  validation: readonly NamedFiles[];
}

/**
 * Reads the data of a run and determines its classes.
 *
 * @throws UserError for bad rows with their lines, and for classes that the adapter does not have
 */
export function beginRun({
  config: parsed,
  train: trainFiles,
  validation,
  ...parts
}: RunFiles): Omit<ReadRun, 'base' | 'model' | 'digests' | 'weightDigests'> {
  const { start, family, modality } = parts;
  const task = taskNamed(parsed.task);
  const adapterData = start?.notes?.data;
  const { rows, scoring } = readRunRows(task, parsed, { train: trainFiles, validation }, (facts) =>
    chooseScoring(parsed, { ...facts, model: family, adapterData }),
  );
  const { data } = scoring.config;
  const { all, train, folds } = rows;
  const labels =
    task.classes?.labels(all, {
      fileName: [data.dataset ?? [], ...trainingFiles(data)].flat().join(', '),
      ...family,
      adapter: start && {
        path: String(parsed.adapter),
        labels: start.notes?.labels,
        tensors: start.stored.tensors,
      },
    }) ?? [];
  const detected = { ...data, ...task.files.detected?.(all, data) } as RunConfig['data'];
  const build = task.build(labels, detected);
  const model = build(family.definition, family.config);
  const files = trainFiles.flatMap((source) => source.files);
  const { config, chosen } = chooseDefaults(scoring.config, {
    model,
    ...describeAmount(files, rows, modality),
  });
  const { definition, settings } = readMethod(config);
  const language = findLanguage(task, rows.all, config, modality);
  return {
    ...parts,
    config,
    rows,
    language,
    chosen: [...scoring.chosen, ...chosen],
    classWeights: classWeights(config.training, labels, task.classes?.counts?.(train, labels)),
    onlyBase: definition.requiredBase?.(settings)?.dtype ?? start?.notes?.base_dtype,
    folds: folds?.map(({ validation }) => validation),
    data: detected,
    labels,
    build,
    maxLength: modality.maxLength,
    notices: [
      ...listNotices(task, rows),
      ...alikeLabels(labels),
      ...loweredLength(config, family.config),
      ...(language ? [`${language.message} ${language.remedy}`] : []),
      ...notScored(scoring.chosen).map((why) => `The model will not be scored${why}`),
    ],
  };
}

/** Notices about the files of rows. */
function listNotices({ files }: AnyTask, { all, validation, isHeldOut }: RunRows): string[] {
  const sets = [all, ...(isHeldOut ? [] : validation.map(({ rows }) => rows))];
  return sets.flatMap((rows) => files.notices?.(rows) ?? []);
}

/** A warning about rows of another language than English, which is all that the built-in encoder reads. */
function findLanguage(
  { files }: AnyTask,
  rows: unknown,
  { model, data }: Pick<RunConfig, 'model' | 'data'>,
  { reads }: Modality,
): Finding | undefined {
  if (model !== EMBEDDED_MODEL || reads !== 'text') return undefined;
  const texts = files.splittable?.(rows, data).texts.flat() ?? [];
  if (looksEnglish(texts.filter((text) => text !== undefined))) return undefined;
  return {
    message: 'The rows do not look English, and the built-in encoder reads only English.',
    remedy:
      'Set model to a multilingual one, such as sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2.',
  };
}

/** Typical for English. The estimate counts all columns as text, so it is too high for files with other columns. */
const CHARACTERS_OF_A_TOKEN = 4;

/** Estimates the amount of training data without tokenizing it. */
function describeAmount(
  files: readonly TextFile[],
  { count, trained }: RunRows,
  { maxLength, tokens }: Modality,
): { rows: number; tokens: number } {
  const all = addUp(files, ({ size }) => size) / CHARACTERS_OF_A_TOKEN;
  const isRows = count !== undefined && trained !== undefined;
  // Otherwise, examples are blocks of the maximum length.
  const rows = isRows ? trained : Math.max(1, Math.ceil(all / maxLength));
  if (!isRows) return { rows, tokens: maxLength };
  if (tokens !== undefined) return { rows, tokens };
  return { rows, tokens: Math.max(1, Math.min(maxLength, all / Math.max(1, count))) };
}

/** The notice that the default maximum length was lowered, because the model has fewer positions. */
function loweredLength({ task, data }: RunConfig, config: Family['config']): string[] {
  const { key, requested, unlowered } = findMaxLength(task, data, config);
  if (unlowered === undefined) return [];
  return [
    `data.${key} is ${requested}, because the model has only ${requested} positions (default: ${unlowered}).`,
  ];
}

/** The files of a source of rows. */
interface NamedFiles {
  name: string;
  files: readonly TextFile[];
}

/** How a run is scored: its config with a validation set, or without one. */
interface Scoring<Config> {
  config: Config;
  chosen: readonly Chosen[];
}

/** The rows of a run, as its task reads them. */
interface RunRows {
  /** All rows of the training files. */
  all: unknown;
  /** Number of rows in the training files. Undefined if examples are not rows. */
  count: number | undefined;
  /** The rows that are trained on. */
  train: unknown;
  /** Number of training examples. Undefined if examples are not rows. */
  trained: number | undefined;
  validation: readonly { name: string; rows: unknown }[];
  /** Whether the validation rows are a share of the training files. */
  isHeldOut: boolean;
  /** For a cross-validation, the numbers of the rows on both sides of each fold. */
  folds: readonly HeldOut<number[]>[] | undefined;
}

/** Facts about the rows for the choice of a scoring. */
interface RowCounts {
  rows: number;
  canHoldOut(share: number): boolean;
  canFold(count: number): boolean;
}

/**
 * Reads the rows of a run, and divides them into those that are trained on and those that judge.
 *
 * @param scoringOf chooses how the run is scored
 * @throws UserError for bad rows, with their lines
 */
function readRunRows<Config extends RunConfig | ParsedConfig>(
  task: AnyTask,
  parsed: ParsedConfig,
  files: { train: readonly NamedFiles[]; validation: readonly NamedFiles[] },
  scoringOf: (counts: RowCounts) => Scoring<Config>,
): { rows: RunRows; scoring: Scoring<Config> } {
  const parts = files.train.map(({ files }) => task.files.read(files, parsed.data));
  const all = parts.length === 1 ? parts[0] : task.files.join(parts);
  const count = task.files.countRows?.(all);
  // Undefined if the task's rows cannot be split.
  const splittable = lazy(() => task.files.splittable?.(all, parsed.data));
  const split = (share: number) => {
    const rows = splittable();
    return rows && holdOut(rows, share);
  };
  const fold = (count: number) => {
    const rows = splittable();
    return rows && splitFolds({ ...rows, pick: (numbers) => [...numbers] }, count);
  };
  const scoring = scoringOf({
    rows: count ?? 0,
    canHoldOut: (share) => isPossible(() => split(share)),
    canFold: (count) => isPossible(() => fold(count)),
  });
  const { data } = scoring.config;
  const share = heldOutShare(data.validation);
  const held = share === undefined ? undefined : split(share);
  const train = held ? held.train : all;
  const folded = foldCount(data.validation);
  return {
    scoring,
    rows: {
      all,
      count,
      train,
      trained: task.files.countRows?.(train),
      validation: held
        ? [{ name: 'validation', rows: held.validation }]
        : files.validation.map(({ name, files }) => ({ name, rows: task.files.read(files, data) })),
      isHeldOut: held !== undefined,
      folds: folded === undefined ? undefined : fold(folded),
    },
  };
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

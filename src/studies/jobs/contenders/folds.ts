import type { MethodRun } from '../../../methods/tuners/method-run.ts';
import {
  type ComparedRows,
  countUnits,
  type EvaluatedRows,
  type ExampleSet,
  type RowModel,
  someExamples,
} from '../../../program/example-set.ts';
import { type LinearLayer, layerOutputs } from '../../../program/objectives/sentence-classifier.ts';
import { Program } from '../../../program/program.ts';
import { joinedFloats } from '../../../support/arrays.ts';
import { releasing } from '../../../support/opened.ts';
import type { TrainerState } from '../../../training/run/checkpoint.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import { Trainer, type TrainerHost } from '../../../training/train/trainer.ts';
import { beforeFirstStep } from '../before-first-step.ts';
import { type SetUpRun, withLayer } from '../set-up-run.ts';
import { fitRows, TUNED_STRENGTHS } from './fit-rows.ts';
import type { FrozenProbe } from './frozen.ts';

/** For each version of a fine-tuned model, its outputs for the rows that a fold holds out, one after the other. */
export type FoldOutputs = readonly Float32Array[];

/** Keeps the trainings of a cross-validation, so that a run resumes in the middle of one. */
export interface FoldStore {
  /** The features of the frozen model, one row after the other, if they are known. */
  features?: Float32Array | undefined;
  keepFeatures(features: Float32Array): void | Promise<void>;
  /** The outputs of the folds that are finished, in order. */
  finished: readonly FoldOutputs[];
  /** Called with the outputs of all finished folds, when one more is finished. */
  keep(finished: readonly FoldOutputs[]): void | Promise<void>;
  /** The last checkpoint of a fold's training, and where it saves. */
  training(fold: number): FoldTraining | Promise<FoldTraining>;
}

interface FoldTraining {
  saved?: TrainerState | undefined;
  save?: TrainerHost['save'] | undefined;
  isSaveDue?: TrainerHost['isSaveDue'];
}

/** Keeps nothing. */
export const NO_FOLDS: FoldStore = { finished: [], keepFeatures() {}, keep() {}, training: () => ({}) };

/**
 * The examples of each fold.
 *
 * @param folds numbers of rows
 */
export function foldExamples(
  folds: readonly (readonly number[])[],
  { rows, lengths }: ExampleSet,
): Int32Array[] {
  const all = Int32Array.from(lengths.keys());
  return folds.map((fold) => {
    const held = new Set(fold);
    return all.filter((example) => held.has(rows?.[example] ?? example));
  });
}

/**
 * Fine-tunes the model once for each fold, without its rows, and predicts them.
 *
 * @param count number of folds to train; the rows of the others are not predicted
 * @param onProgress called with the completed share of all folds
 * @returns for each version, the outputs of each row. Undefined if the run was stopped.
 */
export async function foldOutputs(
  setUp: SetUpRun,
  config: RunConfig,
  probe: FrozenProbe | undefined,
  folds: readonly Int32Array[],
  count: number,
  { host, store, onProgress }: { host: TrainerHost; store: FoldStore; onProgress(share: number): void },
): Promise<Float32Array[][] | undefined> {
  const rows = judgingRows(setUp);
  const { train } = setUp.inputs;
  const all = Int32Array.from(train.lengths.keys());
  const finished = [...store.finished];
  for (let fold = finished.length; fold < count; fold++) {
    const held = folds[fold]!;
    const isHeld = new Set(held);
    const kept = all.filter((example) => !isHeld.has(example));
    const layer = probe && (await layerInLoss(setUp, probe, kept));
    const started = setUp.with(withLayer(someExamples(train, kept), layer));
    const { loaded } = await beforeFirstStep(started, config);
    const { saved, ...saving } = await store.training(fold);
    const trainer = new Trainer(loaded.inputs, withoutEvaluation(loaded.settings), {
      shouldStop: host.shouldStop,
      peakMemoryMb: host.peakMemoryMb,
      ...saving,
      emit(event) {
        if (event.type === 'step') onProgress((fold + event.step / loaded.settings.totalSteps) / count);
      },
    });
    if (saved) await trainer.restore(saved);
    const { reason } = await releasing(trainer, () => trainer.run());
    if (reason === 'stopped') return undefined;
    finished.push(await listVersions(loaded, rows, trainer.values, kept, held));
    await store.keep(finished);
    onProgress((fold + 1) / count);
  }
  return joinFolds(finished, rows, folds);
}

/** The rows that a cross-validation predicts. */
function judgingRows({ compared, rows }: SetUpRun): ComparedRows | EvaluatedRows {
  return compared ?? (rows as EvaluatedRows);
}

/** A run that is not evaluated while it trains, because its rows are predicted at its end. */
function withoutEvaluation(settings: SetUpRun['settings']): SetUpRun['settings'] {
  return { ...settings, evaluate: 0, evaluateBefore: false, loadBestAtEnd: false, patience: undefined };
}

/** The layer that the loss reads: a probe of the frozen model. Undefined if the loss reads none. */
export async function layerInLoss(
  { inputs, rows, settings }: SetUpRun,
  { rows: probed, features, strength }: FrozenProbe,
  kept: Int32Array,
): Promise<LinearLayer | undefined> {
  const { model, engine } = inputs;
  if (!model.layer?.inLoss || !rows) return undefined;
  const isKept = new Set(kept);
  const places = [...probed.keys()].filter((place) => isKept.has(probed[place]!));
  const [layer] = await fitRows(
    engine,
    rows,
    Int32Array.from(places, (place) => probed[place]!),
    places.map((place) => features[place]!),
    settings.classWeights,
  ).fit([strength]);
  return layer;
}

/** The trained values of a method. */
export interface Tuned {
  method: MethodRun;
  values: Float32Array;
}

/** Computes something with a program for some values. */
export function computing<Result>(
  { inputs: { engine, model, communicator }, settings }: Pick<SetUpRun, 'inputs' | 'settings'>,
  { method, values }: Tuned,
  compute: (model: RowModel) => Promise<Result>,
): Promise<Result> {
  const program = new Program(engine, model, method.tuner, { ...settings, communicator });
  return releasing(program, () => compute({ program, values }));
}

/** The outputs of the versions of a fine-tuned model for the rows of a fold. */
async function listVersions(
  setUp: SetUpRun,
  rows: ComparedRows | EvaluatedRows,
  values: Float32Array,
  kept: Int32Array,
  held: Int32Array,
): Promise<FoldOutputs> {
  const { model, method } = setUp.inputs;
  return computing(setUp, { method, values }, async (tuned) => {
    if (!model.layer || !('targets' in rows))
      return [joinedFloats(await (setUp.headRows ?? rows).outputs(tuned, held))];
    const layers = await tunedLayers(setUp, rows, tuned, kept);
    const features = await rows.features(tuned, held);
    return layers.map((layer) => joinedFloats(features.map((row) => layerOutputs(layer, row))));
  });
}

/** The layers on features of a fine-tuned model, one for each of the strengths. */
export async function tunedLayers(
  { inputs: { engine }, settings }: Pick<SetUpRun, 'inputs' | 'settings'>,
  rows: EvaluatedRows,
  tuned: RowModel,
  kept: Int32Array,
): Promise<LinearLayer[]> {
  const features = await rows.features(tuned, kept);
  return fitRows(engine, rows, kept, features, settings.classWeights).fit(TUNED_STRENGTHS);
}

/** For each version, the outputs of each row. Rows of folds that were not trained have none. */
function joinFolds(
  finished: readonly FoldOutputs[],
  rows: ComparedRows | EvaluatedRows,
  folds: readonly Int32Array[],
): Float32Array[][] {
  const sizeOf = (row: number) =>
    'targets' in rows ? countUnits(rows.targets, row) * rows.targets.outputs : rows.width;
  const versions: Float32Array[][] = finished[0]!.map(() =>
    Array.from(rows.groups, () => new Float32Array()),
  );
  finished.forEach((ofFold, fold) => {
    ofFold.forEach((flat, version) => {
      let at = 0;
      for (const row of folds[fold]!) {
        const length = sizeOf(row);
        versions[version]![row] = flat.slice(at, at + length);
        at += length;
      }
    });
  });
  return versions;
}

import { type RowModel, type ScoredRows, someExamples } from '../../../program/example-set.ts';
import { type LinearLayer, layerOutputs } from '../../../program/objectives/sentence-classifier.ts';
import { joinedFloats } from '../../../support/arrays.ts';
import { addUp } from '../../../support/numbers.ts';
import { releasing } from '../../../support/opened.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { affordableFolds, estimateWork } from '../../../training/run/config/defaults/policy.ts';
import { Trainer } from '../../../training/train/trainer.ts';
import type { TrainerSettings } from '../../../training/train/trainer-settings.ts';
import type { RunExamples } from '../encode-run.ts';
import type { FoldOutputs, Run, Tuned } from '../run.ts';
import { beginTraining, computing, measureTraining, type Prepared } from '../set-up-run.ts';
import { fitRows, TUNED_STRENGTHS } from './fit-rows.ts';
import { layerInLoss } from './frozen.ts';

/** Training rows that a model learns from, and the rows that judge it. */
interface Split {
  kept: Int32Array;
  held: Int32Array;
}

/** The splits in which a run is judged: one for each fold, or the training rows and the validation set. */
export function listSplits({ train, judge }: RunExamples): Split[] {
  const all = Int32Array.from(train.lengths.keys());
  if (!judge) return [];
  if (!judge.folds) return [{ kept: all, held: Int32Array.from(judge.own.groups.keys()) }];
  return judge.folds.map((held) => {
    const isHeld = new Set(held);
    return { kept: all.filter((row) => !isHeld.has(row)), held };
  });
}

/** The splits in which the model is fine-tuned: fewer than the folds if that would take too long. */
export function listTrainedSplits({
  files,
  base,
  examples,
}: Pick<Prepared, 'files' | 'base' | 'examples'>): Split[] {
  const { train, judge } = examples;
  if (!judge?.folds) return [];
  const { training, task } = files.config;
  const work = estimateWork(base.model.linears, training.num_train_epochs * addUp(train.lengths));
  const isSearch = taskNamed(task).training.comparesRows === true;
  const count = affordableFolds(judge.folds.length, work, isSearch ? train.lengths.length : undefined);
  return listSplits(examples).slice(0, count);
}

/**
 * Fine-tunes the model once for each fold, without its rows, and predicts them. Rows of folds that would take too long
 * have no outputs.
 */
export async function crossValidate(run: Run): Promise<void> {
  const { judge } = run.examples;
  if (!judge?.folds) return;
  const splits = listTrainedSplits(run);
  const count = splits.length;
  const onProgress = run.progress('folds');
  const finished = [...run.folds.finished];
  for (let fold = finished.length; fold < count; fold++) {
    const outputs = await trainFold(run, splits[fold]!, fold, (share) => onProgress((fold + share) / count));
    // A run that is stopped here ends with a checkpoint of its start.
    if (!outputs) return;
    finished.push(outputs);
    await run.folds.keep(finished);
    onProgress((fold + 1) / count);
  }
  run.outOfFold = joinFolds(finished, judge.own, judge.folds);
}

/**
 * Fine-tunes the model without the rows of a fold.
 *
 * @returns its outputs for these rows. Undefined if the run was stopped.
 */
async function trainFold(
  run: Run,
  split: Split,
  fold: number,
  onProgress: (share: number) => void,
): Promise<FoldOutputs | undefined> {
  const layer = await layerInLoss(run, split.kept);
  const begun = beginTraining(run, someExamples(run.examples.train, split.kept), layer);
  const { inputs, settings } = (await measureTraining(run, begun)).training;
  const { saved, ...saving } = await run.folds.training(fold);
  const trainer = new Trainer(inputs, withoutEvaluation(settings), {
    shouldStop: run.host.shouldStop,
    peakMemoryMb: run.machine.peakMemoryMb,
    ...saving,
    emit(event) {
      if (event.type === 'step') onProgress(event.step / settings.totalSteps);
    },
  });
  if (saved) await trainer.restore(saved);
  const { reason } = await releasing(trainer, () => trainer.run());
  if (reason === 'stopped') return undefined;
  const versions = await predictHeld(run, { method: inputs.method, values: trainer.values }, split);
  return versions.map(joinedFloats);
}

/** A run that is not evaluated while it trains. In a fold, its rows are predicted at its end. */
export function withoutEvaluation(settings: TrainerSettings): TrainerSettings {
  return { ...settings, evaluate: 0, evaluateBefore: false, loadBestAtEnd: false, patience: undefined };
}

/**
 * For each version of a fine-tuned model, its outputs for the rows of a split that it did not learn from.
 *
 * @param known the layers on its vectors. By default, they are fitted.
 */
export function predictHeld(
  run: Run,
  tuned: Tuned,
  { kept, held }: Split,
  known?: readonly LinearLayer[],
): Promise<Float32Array[][]> {
  const { own, probed } = run.examples.judge!;
  return computing(run, tuned, async (model) => {
    if (!run.base.model.layer || !probed) return [await own.outputs(model, held)];
    const layers = known ?? (await tunedLayers(run, model, kept));
    const features = await probed.features(model, held);
    return layers.map((layer) => features.map((row) => layerOutputs(layer, row)));
  });
}

/** The layers on features of a fine-tuned model, one for each of the strengths. */
export async function tunedLayers(
  { base: { engine }, examples: { learned }, files: { classWeights } }: Prepared,
  tuned: RowModel,
  kept: Int32Array,
): Promise<LinearLayer[]> {
  const features = await learned!.features(tuned, kept);
  return fitRows(engine, learned!, kept, features, classWeights).fit(TUNED_STRENGTHS);
}

/** For each version, the outputs of each row. Rows of folds that were not trained have none. */
function joinFolds(
  finished: readonly FoldOutputs[],
  rows: ScoredRows,
  folds: readonly Int32Array[],
): Float32Array[][] {
  const versions: Float32Array[][] = finished[0]!.map(() =>
    Array.from(rows.groups, () => new Float32Array()),
  );
  finished.forEach((ofFold, fold) => {
    ofFold.forEach((flat, version) => {
      let at = 0;
      for (const row of folds[fold]!) {
        const length = rows.sizeOf(row);
        versions[version]![row] = flat.slice(at, at + length);
        at += length;
      }
    });
  });
  return versions;
}

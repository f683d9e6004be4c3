import { splitFolds } from '../../../input/data/split-rows.ts';
import { countUnits, type EvaluatedRows, type RowModel } from '../../../program/example-set.ts';
import { STRENGTHS } from '../../../program/linear-probe.ts';
import type { LinearLayer } from '../../../program/objectives/sentence-classifier.ts';
import { addUp, smallest } from '../../../support/numbers.ts';
import { Random } from '../../../support/random.ts';
import { chiefScore } from '../../../tasks/data-files.ts';
import { measureWidth } from '../../../training/run/config/defaults/policy.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import type { RunExamples } from '../encode-run.ts';
import type { FrozenProbe, Run } from '../run.ts';
import { beginTraining, computing } from '../set-up-run.ts';
import { fitRows } from './fit-rows.ts';

/** Folds in which the strength of a probe is chosen if the run itself has none. */
const FOLDS = 5;
/**
 * Maximum number of features, in rows × width × outputs, that a probe is fitted to. A fit to all of them takes a few
 * seconds. Some rows are drawn from a larger set.
 */
const MAX_WORK = 3e7;

/** Fits the linear probe of a run, if rows judge it or its result has a layer on vectors. */
export async function fitProbe(run: Run): Promise<void> {
  const { learned, judge } = run.examples;
  if (!learned || !(judge?.probed || run.base.model.layer)) return;
  const { config, classWeights } = run.files;
  const options = { folds: judge?.folds, seed: config.seed, classWeights, known: run.folds.features };
  run.probe = await computing(run, run.training.inputs, (frozen) => frozenProbe(learned, frozen, options));
}

/** Gives the loss a layer to read, if it reads one: the probe of all rows. */
export async function fitLayerInLoss(run: Run): Promise<void> {
  const { train } = run.examples;
  const layer = await layerInLoss(run, Int32Array.from(train.lengths.keys()));
  if (layer) run.training = beginTraining(run, train, layer);
}

/**
 * The layer that the loss reads: a probe of the frozen model. Undefined if the loss reads none.
 *
 * @param kept the rows from which it may learn
 */
export async function layerInLoss(
  { base: { model, engine }, examples: { learned }, files: { classWeights }, probe }: Run,
  kept: Int32Array,
): Promise<LinearLayer | undefined> {
  if (!model.layer?.inLoss || !learned || !probe) return undefined;
  const { rows, features, strength } = probe;
  const isKept = new Set(kept);
  const places = [...rows.keys()].filter((place) => isKept.has(rows[place]!));
  const numbers = Int32Array.from(places, (place) => rows[place]!);
  const ofKept = places.map((place) => features[place]!);
  const [layer] = await fitRows(engine, learned, numbers, ofKept, classWeights).fit([strength]);
  return layer;
}

/**
 * Computes the features of training rows, and cross-validates a probe of them.
 *
 * @param frozen the model before training
 * @param folds the rows of each fold; by default {@link FOLDS} of nearly equal size
 * @param known the features, if they were computed before
 */
export async function frozenProbe(
  all: EvaluatedRows,
  frozen: Omit<RowModel, 'layer'>,
  {
    folds,
    seed,
    classWeights,
    known,
  }: {
    folds?: readonly Int32Array[] | undefined;
    seed: number;
    classWeights?: readonly number[] | undefined;
    known?: Float32Array | undefined;
  },
): Promise<FrozenProbe> {
  const { engine, model } = frozen.program.parts;
  const chosen = drawn(all, folds !== undefined, seed, measureWidth(model.linears));
  // The first batch opens a session, which is not measured.
  if (!known) await all.features(frozen, chosen.subarray(0, 1));
  const startedAt = performance.now();
  const features = known ? split(known, all, chosen) : await all.features(frozen, chosen);
  const seconds = (performance.now() - startedAt) / 1000;
  const fitted = fitRows(engine, all, chosen, features, classWeights);
  const parts = folds ?? splitProbed(all, chosen);
  const outOfFold = await fitted.outOfFold(parts, STRENGTHS);
  const numbers: Float32Array[] = all.targets.rows.map(() => new Float32Array());
  const placed = outOfFold.map((outputs) => {
    const ofAll = [...numbers];
    chosen.forEach((row, i) => {
      ofAll[row] = outputs[i]!;
    });
    return ofAll;
  });
  const losses = placed.map((outputs) => Number(all.scores(outputs, chosen).eval_loss));
  const strength = STRENGTHS[losses.indexOf(smallest(losses))]!;
  const secondsPerEpoch = known ? undefined : (seconds * all.targets.rows.length) / chosen.length;
  return { rows: chosen, features, fitted, outOfFold: placed, strength, secondsPerEpoch };
}

/** The chief score of a probe in a cross-validation. Undefined if rows have no such score. */
export function probeScore(
  { learned }: Pick<RunExamples, 'learned'>,
  { outOfFold, strength, rows }: FrozenProbe,
  config: RunConfig,
): number | undefined {
  const outputs = outOfFold[STRENGTHS.indexOf(strength)]!;
  const scores: Partial<Record<string, number>> | undefined = learned?.scores(outputs, rows);
  return scores?.[`eval_${chiefScore(config).score}`];
}

/** The features of each row, from those of all rows one after the other. */
function split(flat: Float32Array, { targets }: EvaluatedRows, chosen: Int32Array): Float32Array[] {
  const units = Array.from(chosen, (row) => countUnits(targets, row));
  const width = flat.length / addUp(units);
  let start = 0;
  return units.map((count) => {
    const end = start + count * width;
    const features = flat.subarray(start, end);
    start = end;
    return features;
  });
}

function drawn(
  { targets: { rows, outputs } }: EvaluatedRows,
  needsAll: boolean,
  seed: number,
  width: number,
): Int32Array {
  const units = addUp(rows, (targets) => targets.length);
  const share = needsAll ? 1 : MAX_WORK / (units * width * outputs);
  const all = Int32Array.from(rows.keys());
  if (share >= 1) return all;
  return new Random(seed, 'probe')
    .permutation(rows.length)
    .slice(0, Math.ceil(share * rows.length))
    .sort();
}

/** Folds of rows, as positions in `chosen`. Rows with a common text share a fold, and each fold has rows of every class. */
function splitProbed({ groups, targets }: EvaluatedRows, chosen: Int32Array): Int32Array[] {
  const rows = Array.from(chosen);
  const count = Math.min(FOLDS, new Set(rows.map((row) => groups[row]!)).size);
  if (count < 2) return [Int32Array.from(rows.keys())];
  const splittable = {
    texts: rows.map((row) => [`${groups[row]!}`]),
    strata: targets.loss === 'squared' ? undefined : rows.map((row) => `${targets.rows[row]!}`),
    pick: (places: readonly number[]) => Int32Array.from(places),
  };
  return splitFolds(splittable, count).map(({ validation }) => validation);
}

import { splitFolds } from '../../../input/data/split-rows.ts';
import { countUnits, type EvaluatedRows, type RowModel } from '../../../program/example-set.ts';
import { STRENGTHS } from '../../../program/linear-probe.ts';
import { type LinearLayer, layerOutputs } from '../../../program/objectives/sentence-classifier.ts';
import { addUp, smallest } from '../../../support/numbers.ts';
import { Random } from '../../../support/random.ts';
import { chiefScore } from '../../../tasks/data-files.ts';
import { measureWidth } from '../../../training/run/config/defaults/policy.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import type { SetUpRun } from '../set-up-run.ts';
import { type FittedRows, fitRows } from './fit-rows.ts';

/** Folds in which the strength of a probe is chosen if the run itself has none. */
const FOLDS = 5;
/**
 * Maximum number of features, in rows × width × outputs, that a probe is fitted to. A fit to all of them takes a few
 * seconds. Some rows are drawn from a larger set.
 */
const MAX_WORK = 3e7;

/** The linear probe of a run: a layer on the features of the model before training. */
export interface FrozenProbe {
  /** The rows that the probe is fitted to. */
  rows: Int32Array;
  /** The features of each of these rows. */
  features: readonly Float32Array[];
  fitted: FittedRows;
  /** For each strength, the outputs of each row of the run, from a layer that is fitted to other folds. */
  outOfFold: readonly (readonly Float32Array[])[];
  /** The strength whose outputs have the lowest loss. */
  strength: number;
  /** The outputs of a constant for each row, from the other folds. */
  constant: readonly Float32Array[];
  /** Seconds in which the features of all training rows are computed. Undefined if they were known. */
  secondsPerEpoch?: number | undefined;
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
  const constant = [...numbers];
  for (const part of parts) {
    const held = new Set(Array.from(part, (i) => chosen[i]!));
    const bias = fitConstant(
      all,
      chosen.filter((row) => !held.has(row)),
    );
    for (const row of held) constant[row] = repeatBias(bias, placed[0]![row]!.length);
  }
  const losses = placed.map((outputs) => Number(all.scores(outputs, chosen).eval_loss));
  const strength = STRENGTHS[losses.indexOf(smallest(losses))]!;
  const secondsPerEpoch = known ? undefined : (seconds * all.targets.rows.length) / chosen.length;
  return { rows: chosen, features, fitted, outOfFold: placed, strength, constant, secondsPerEpoch };
}

/** The chief score of a probe in a cross-validation. Undefined if rows have no such score. */
export function probeScore(
  { rows }: Pick<SetUpRun, 'rows'>,
  { outOfFold, strength, rows: probed }: FrozenProbe,
  config: RunConfig,
): number | undefined {
  const scores: Partial<Record<string, number>> | undefined = rows?.scores(
    outOfFold[STRENGTHS.indexOf(strength)]!,
    probed,
  );
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

/** The outputs with the lowest loss that ignore the features. */
export function fitConstant({ targets: all }: EvaluatedRows, chosen: Int32Array): Float32Array {
  const { rows, outputs, loss } = all;
  const totals = new Float64Array(outputs);
  let units = 0;
  for (const row of chosen) {
    units += countUnits(all, row);
    Array.from(rows[row]!).forEach((target, i) => {
      if (loss === 'softmax') totals[target]! += 1;
      else totals[i % outputs]! += target;
    });
  }
  if (loss === 'squared') return Float32Array.from(totals, (total) => total / units);
  // Half a row for a class that no row has.
  if (loss === 'softmax') return Float32Array.from(totals, (count) => Math.log(Math.max(count, 0.5) / units));
  return Float32Array.from(totals, (count) => Math.log((count + 0.5) / (units - count + 0.5)));
}

/** A layer that ignores its features. */
export function constantLayer(bias: Float32Array, width: number): LinearLayer {
  return { weight: new Float32Array(bias.length * width), bias };
}

/** The same outputs for each unit of a row. */
export function repeatBias(bias: Float32Array, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => bias[i % bias.length]!);
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

/** A layer's outputs for each unit of a row, [units, outputs]. */
export function unitOutputs(layer: LinearLayer, features: Float32Array): Float32Array {
  const width = layer.weight.length / layer.bias.length;
  const outputs = new Float32Array((features.length / width) * layer.bias.length);
  for (let unit = 0; unit * width < features.length; unit++)
    outputs.set(
      layerOutputs(layer, features.subarray(unit * width, (unit + 1) * width)),
      unit * layer.bias.length,
    );
  return outputs;
}

import type { Engine } from '../../../program/engine.ts';
import { countUnits, type EvaluatedRows } from '../../../program/example-set.ts';
import { LinearProbe } from '../../../program/linear-probe.ts';
import { type LinearLayer, layerOutputs } from '../../../program/objectives/sentence-classifier.ts';
import { addUp } from '../../../support/numbers.ts';
import type { FitLayer } from '../../../tasks/prediction.ts';

/**
 * Strengths of layers on features that were trained with labels. Such features separate the training rows, so no
 * cross-validation on them can tell; these two were best for files of 100 and 400 rows.
 */
export const TUNED_STRENGTHS: readonly number[] = [0.01, 0.1];
const EVALUATED_STRENGTH = 0.01;

/** Features and targets of some rows, to which linear layers are fitted. */
export interface FittedRows {
  /** Fits a layer to the rows, for each strength. */
  fit(strengths: readonly number[]): Promise<LinearLayer[]>;
  /**
   * Predicts each fold with layers that are fitted to the other rows.
   *
   * @param folds positions of rows in `numbers`
   * @returns for each strength: the outputs of each row [units, outputs]
   */
  outOfFold(folds: readonly ArrayLike<number>[], strengths?: readonly number[]): Promise<Float32Array[][]>;
}

/** The numbers of all rows. */
export function numberRows({ targets }: Pick<EvaluatedRows, 'targets'>): Int32Array {
  return Int32Array.from(targets.rows.keys());
}

/** Fits a layer to a model's features of all training rows, for an evaluation while the model trains. */
export function layerFitter(rows: EvaluatedRows, classWeights?: readonly number[]): FitLayer {
  const all = numberRows(rows);
  return async (model) => {
    const features = await rows.features(model, all);
    const { engine } = model.program.parts;
    const [layer] = await fitRows(engine, rows, all, features, classWeights).fit([EVALUATED_STRENGTH]);
    return layer!;
  };
}

/**
 * @param numbers the numbers of the rows
 * @param features those of each of these rows, [units, width]
 * @param classWeights weight of each class, if they are not equal
 */
export function fitRows(
  engine: Engine,
  { targets: all }: EvaluatedRows,
  numbers: Int32Array,
  features: readonly Float32Array[],
  classWeights?: readonly number[],
): FittedRows {
  const { rows, outputs, loss } = all;
  const units = Array.from(numbers, (row) => countUnits(all, row));
  const starts = units.map(() => 0);
  for (let i = 1; i < units.length; i++) starts[i] = starts[i - 1]! + units[i - 1]!;
  const targets = Array.from(numbers).flatMap((row) => Array.from(rows[row]!));
  const total = addUp(units);
  const width = addUp(features, ({ length }) => length) / Math.max(1, total);
  const flat = new Float32Array(total * width);
  features.forEach((of, i) => {
    flat.set(of, starts[i]! * width);
  });
  const probe = new LinearProbe(engine, {
    features: flat,
    width,
    targets,
    outputs,
    loss,
    rowWeights: classWeights && targets.map((target) => classWeights[target]!),
  });
  return {
    fit: (strengths) => probe.fit(strengths),
    async outOfFold(folds, strengths) {
      const unitsOf = (row: number) => Array.from({ length: units[row]! }, (_, i) => starts[row]! + i);
      const found = await probe.outOfFold(
        folds.map((fold) => Array.from(fold).flatMap(unitsOf)),
        strengths,
      );
      const held = new Set(folds.flatMap((fold) => Array.from(fold)));
      return found.map((scores) =>
        units.map((count, row) => {
          if (!held.has(row)) return new Float32Array();
          return scores.slice(starts[row]! * outputs, (starts[row]! + count) * outputs);
        }),
      );
    },
  };
}

/** The outputs with the lowest loss that ignore the features. */
export function fitConstant({ targets: all }: EvaluatedRows, chosen: Int32Array): Float32Array {
  const { rows, outputs, loss } = all;
  const totals = new Float64Array(outputs);
  let units = 0;
  for (const row of chosen) {
    // Examples after the labeled rows have no label.
    if (row >= rows.length) continue;
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

import { expect, it } from 'vitest';
import type { EvaluatedRows, RowModel } from '../../../program/example-set.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import type { ModelWeights } from '../../../program/weight-memory.ts';
import { argmaxRows, meanCrossEntropy } from '../../../scores/metrics/classes.ts';
import { joinedFloats } from '../../../support/arrays.ts';
import { Random } from '../../../support/random.ts';
import { frozenProbe, probeScore } from './frozen.ts';

const CLASSES = 5;
const WIDTH = 8;

// The graphs of a probe read no weights of a model.
const engine = nodeEngine({ weightFolder: '' } as ModelWeights, 'cpu');

/** Rows whose features are near the center of their class. */
function clustered(labels: readonly number[]): EvaluatedRows {
  const random = new Random(0, 'clusters');
  const centers = Array.from({ length: CLASSES }, () => random.normals(WIDTH, 1));
  const features = labels.map((label) => random.normals(WIDTH, 0.3).map((x, i) => x + centers[label]![i]!));
  return {
    groups: Int32Array.from(labels.keys()),
    targets: { loss: 'softmax', outputs: CLASSES, rows: labels.map((label) => [label]) },
    features: async (_, rows) => Array.from(rows, (row) => features[row]!),
    scores(outputs, rows) {
      const logits = joinedFloats(Array.from(rows, (row) => outputs[row]!));
      const targets = Array.from(rows, (row) => labels[row]!);
      const right = argmaxRows(logits, CLASSES).filter((label, i) => label === targets[i]).length;
      return {
        eval_loss: meanCrossEntropy(logits, CLASSES, targets),
        eval_accuracy: right / targets.length,
      };
    },
  } as Partial<EvaluatedRows> as EvaluatedRows;
}

it.each(['cyclic', 'sorted', 'shuffled'])(
  'a probe is cross-validated on every class: labels are %s',
  async (order) => {
    const count = 100;
    const cyclic = Array.from({ length: count }, (_, row) => row % CLASSES);
    const permutation = new Random(0, 'order').permutation(count);
    const labels =
      order === 'cyclic'
        ? cyclic
        : order === 'sorted'
          ? cyclic.toSorted((a, b) => a - b)
          : Array.from(permutation, (row) => cyclic[row]!);
    const rows = clustered(labels);
    const frozen = { program: { parts: { engine, model: { linears: [] } } } } as unknown as RowModel;
    const probe = await frozenProbe(rows, frozen, { seed: 0 });
    const config = { training: { metric_for_best_model: 'accuracy' }, data: {} } as Parameters<
      typeof probeScore
    >[2];
    // The centers are 4 apart, and rows 0.85 from them: scikit-learn's model is right on all rows, too.
    expect(probeScore({ learned: rows }, probe, config)).toBe(1);
    expect(probe.strength).toBeGreaterThan(1e-4);
  },
);

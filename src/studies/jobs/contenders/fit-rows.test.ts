import { expect, it } from 'vitest';
import type { EvaluatedRows } from '../../../program/example-set.ts';
import { STRENGTHS } from '../../../program/linear-probe.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import type { ModelWeights } from '../../../program/weight-memory.ts';
import { type ScoreInterval, shareInterval } from '../../../scores/metrics/score-interval.ts';
import { Random } from '../../../support/random.ts';
import { type Contender, choose, correctedInterval, type Yardstick } from './choose.ts';
import { fitRows, TUNED_STRENGTHS } from './fit-rows.ts';

const ROWS = 60;
const WIDTH = 24;
const FOLDS = 3;
const SHUFFLES = 200;
/** Labels are independent of features, and there are as many of each. Any model is right on half of new rows. */
const TRUTH = 0.5;

// The graphs of a probe read no weights of a model.
const engine = nodeEngine({ weightFolder: '' } as ModelWeights, 'cpu');

/** Stratified folds of rows. */
function foldsOf(labels: readonly number[]): Int32Array[] {
  const seen = [0, 0];
  const folds = labels.map((label) => seen[label]!++ % FOLDS);
  return Array.from({ length: FOLDS }, (_, fold) =>
    Int32Array.from([...labels.keys()].filter((row) => folds[row] === fold)),
  );
}

function argmaxIsRight(output: Float32Array, label: number): boolean {
  return (output[1]! > output[0]! ? 1 : 0) === label;
}

/** The interval that a run reports for shuffled labels. */
async function reported(seed: number): Promise<ScoreInterval> {
  const random = new Random(seed, 'shuffle');
  const labels = Array.from(random.permutation(ROWS), (place) => place % 2);
  const numbers = Int32Array.from(labels.keys());
  const groups = numbers;
  const rows = {
    targets: { loss: 'softmax', outputs: 2, rows: labels.map((label) => [label]) },
  } as unknown as EvaluatedRows;
  const folds = foldsOf(labels);
  // The vectors of a frozen model, and of a fine-tuned one, which no label can change for better.
  const contender = async (kind: 'probe' | 'tuned', strengths: readonly number[]): Promise<Contender> => {
    const features = labels.map(() => random.normals(WIDTH, 1));
    return { kind, versions: await fitRows(engine, rows, numbers, features).outOfFold(folds, strengths) };
  };
  const contenders: Contender[] = [
    { kind: 'constant', versions: [labels.map(() => Float32Array.of(0, 0))] },
    await contender('probe', STRENGTHS),
    await contender('tuned', TUNED_STRENGTHS),
  ];
  const right = (outputs: readonly Float32Array[], row: number) => argmaxIsRight(outputs[row]!, labels[row]!);
  const yardstick: Yardstick = {
    groups,
    chief: 'accuracy',
    scores: (outputs, of) => ({ accuracy: of.filter((row) => right(outputs, row)).length / of.length }),
    loss: (outputs, row) => {
      const [a, b] = outputs[row]!;
      return Math.log(1 + Math.exp((labels[row] === 1 ? 1 : -1) * (a! - b!)));
    },
  };
  const { chosen, versions, optimism } = choose(contenders, yardstick);
  const outputs = contenders[chosen]!.versions[versions[chosen]!]!;
  const each = labels.map((_, row) => Number(right(outputs, row)));
  return correctedInterval(shareInterval(each, groups), -optimism.accuracy!, true);
}

it('the interval of shuffled labels covers the truth in 95 % of shuffles', async () => {
  let covered = 0;
  let above = 0;
  for (let seed = 0; seed < SHUFFLES; seed++) {
    const [low, high] = await reported(seed);
    if (low <= TRUTH && TRUTH <= high) covered++;
    if (low > TRUTH) above++;
  }
  expect(covered).toBeGreaterThanOrEqual(0.95 * SHUFFLES);
  // An interval that misses is not a promise of too much more often than by chance: 2.5 %, and two standard errors.
  expect(above / SHUFFLES).toBeLessThan(0.05);
});

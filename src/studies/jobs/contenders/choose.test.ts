import { describe, expect, it } from 'vitest';
import { Random } from '../../../support/random.ts';
import { type Contender, choose, type Yardstick } from './choose.ts';

/** Rows with labels 0 and 1. An output is the probability of 1. */
function yardstickOf(labels: readonly number[], groups = Int32Array.from(labels.keys())): Yardstick {
  const isRight = (output: Float32Array, row: number) => Number(output[0]! > 0.5) === labels[row];
  return {
    groups,
    chief: 'accuracy',
    scores: (outputs, rows) => ({
      accuracy: rows.filter((row) => isRight(outputs[row]!, row)).length / rows.length,
      worst: -1,
    }),
    loss: (outputs, row) => -Math.log(labels[row] === 1 ? outputs[row]![0]! : 1 - outputs[row]![0]!),
  };
}

/** Outputs that are right with this probability. */
function guesses(labels: readonly number[], share: number, seed: number): Float32Array[] {
  const random = new Random(seed, 'guesses');
  return labels.map((label) => Float32Array.of(random.uniform() < share === (label === 1) ? 0.9 : 0.1));
}

const LABELS = Array.from({ length: 100 }, (_, i) => i % 2);
const contender = (kind: Contender['kind'], ...shares: number[]): Contender => ({
  kind,
  versions: shares.map((share, i) => guesses(LABELS, share, i)),
});
const constant: Contender = { kind: 'constant', versions: [LABELS.map(() => Float32Array.of(0.51))] };

describe('a choice', () => {
  it.each<[string, number, number, number]>([
    ['the fine-tuned model if it is better', 0.7, 0.85, 2],
    ['the probe if fine-tuning made it worse', 0.8, 0.55, 1],
    ['the constant if everything else is worse than it', 0.35, 0.35, 0],
  ])('takes %s', (_, probe, tuned, expected) => {
    const contenders = [constant, contender('probe', probe), contender('tuned', tuned)];
    expect(choose(contenders, yardstickOf(LABELS)).chosen).toBe(expected);
  });

  it('takes the fine-tuned model if the rows cannot tell', () => {
    const probe = guesses(LABELS, 0.75, 0);
    // Each is right on two rows where the other one is wrong, and the probe on one more.
    const flipped = [
      ...[0, 1, 2].map((i) => ['right', i] as const),
      ['wrong', 0] as const,
      ['wrong', 1] as const,
    ];
    const tuned = probe.map((output) => output.slice());
    for (const [was, i] of flipped) {
      const rows = [...LABELS.keys()].filter(
        (row) => (probe[row]![0]! > 0.5 === (LABELS[row] === 1)) === (was === 'right'),
      );
      tuned[rows[i]!]![0] = 1 - tuned[rows[i]!]![0]!;
    }
    const contenders: Contender[] = [
      { kind: 'probe', versions: [probe] },
      { kind: 'tuned', versions: [tuned] },
    ];
    expect(choose(contenders, yardstickOf(LABELS)).chosen).toBe(1);
  });

  it('takes the version with the lowest loss', () => {
    expect(choose([constant, contender('probe', 0.6, 0.9, 0.7)], yardstickOf(LABELS)).versions).toEqual([
      0, 1,
    ]);
  });

  it('compares only rows that all have predicted', () => {
    const tuned = contender('tuned', 0.9);
    const some = tuned.versions[0]!.map((output, row) => (row < 40 ? output : new Float32Array()));
    const { rows } = choose([constant, { kind: 'tuned', versions: [some] }], yardstickOf(LABELS));
    expect([...rows]).toEqual([...LABELS.keys()].slice(0, 40));
  });

  it('never takes a model with an undefined score', () => {
    const yardstick = yardstickOf(LABELS);
    const scores: Yardstick['scores'] = (outputs, rows) =>
      new Set(Array.from(rows, (row) => outputs[row]![0])).size === 1
        ? { accuracy: Number.NaN }
        : yardstick.scores(outputs, rows);
    const probe = contender('probe', 0.4);
    expect(choose([constant, probe], { ...yardstick, scores }).chosen).toBe(1);
    expect(choose([probe, { ...constant, kind: 'tuned' }], { ...yardstick, scores }).chosen).toBe(0);
  });
});

it('the optimism of a choice among models that guess makes up for the score of the best', () => {
  // Twenty models that guess, on 60 rows. The best has about .62, and all are right on half of other rows.
  const labels = LABELS.slice(0, 60);
  const corrected = Array.from({ length: 12 }, (_, seed) => {
    const contenders = Array.from(
      { length: 20 },
      (_, i): Contender => ({ kind: 'tuned', versions: [guesses(labels, 0.5, 100 * seed + i)] }),
    );
    const yardstick = yardstickOf(labels);
    // Each replaces the one before unless that one is better, so that the best is chosen.
    const { chosen, optimism, rows } = choose(contenders, yardstick);
    // A score that is always the same is not lowered.
    expect(optimism.worst).toBe(0);
    return yardstick.scores(contenders[chosen]!.versions[0]!, rows).accuracy! - optimism.accuracy!;
  });
  const mean = corrected.reduce((a, b) => a + b) / corrected.length;
  // The standard error of a mean of twelve scores of 60 rows is 0.02.
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
});

it('the optimism of a single contender is 0, and a group of rows counts once', () => {
  expect(choose([contender('tuned', 0.8)], yardstickOf(LABELS)).optimism.accuracy).toBeLessThan(0.01);
  const groups = Int32Array.from(LABELS.keys(), (row) => Math.floor(row / 10));
  const contenders = [contender('probe', 0.75), contender('tuned', 0.68)];
  expect(choose(contenders, yardstickOf(LABELS, groups)).rows).toHaveLength(100);
});

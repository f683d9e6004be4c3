import { describe, expect, it } from 'vitest';
import { cpu } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import golden from '../../program/objectives/fixtures/soft-loss.json' with { type: 'json' };
import { labelSetKind, multiLabelClassification } from '../multi-label-classification/definition.ts';
import { regression, scoreKind } from '../regression/definition.ts';
import { classKind, singleLabelClassification } from '../single-label-classification/definition.ts';
import { labeledDataSchema } from './data-section.ts';
import { type TaughtRow, taughtLoss, taughtTargets, teacherLogits } from './teaching.ts';

/** PyTorch in double precision. Losses and gradients near 1 are rounded to 2⁻²⁴ some times. */
const NEAR = 1e-6;

describe('soft labels of one class', () => {
  const { labels, logits, cases } = golden;
  const width = logits.length / labels.length;
  const rows = labels.map(
    (_, i): TaughtRow => ({
      line: i,
      text: '',
      taught: Float32Array.from(golden.teacher.slice(i * width, (i + 1) * width)),
    }),
  );
  const own = Int32Array.from(labels.filter((label) => label !== null));

  it.each(cases)(
    'have the loss and gradient of PyTorch: $temperature, $share, $smoothing',
    async (wanted) => {
      const { temperature, share, smoothing, loss, gradient } = wanted;
      const reading = { teacher: 'x', temperature, teacher_share: share };
      const graph = new Graph();
      const x = input(graph, 'x', 'float32', [rows.length, width]);
      const built = taughtLoss(classKind, reading)(x, { labelSmoothing: smoothing });
      const [slope] = gradients(built, [x]);
      const session = await cpu.open(lower({ loss: built, slope: slope! }, { target: 'cpu' }));
      const targets = taughtTargets(classKind, own, rows, width, reading);
      const found = await session.run({
        x: { data: Float32Array.from(logits), dims: [rows.length, width] },
        labels: { data: targets, dims: [rows.length, 2 * width] },
      });
      await session.release();
      expect(Math.abs(found.loss!.data[0]! - loss)).toBeLessThan(NEAR * Math.max(1, loss));
      gradient.forEach((value, i) => {
        expect(Math.abs(found.slope!.data[i]! - value)).toBeLessThan(NEAR);
      });
    },
  );
});

it('a small temperature and certain probabilities give finite targets and logits', () => {
  const row = (...taught: number[]): TaughtRow => ({ line: 1, text: '', taught: Float32Array.from(taught) });
  const equal = row(...Array.from({ length: 10 }, () => Math.log(0.1)));
  const reading = { teacher: 'x', temperature: 0.02 };
  const targets = taughtTargets(classKind, Int32Array.of(0), [equal], 10, reading);
  expect(targets[10]).toBeCloseTo(0.1);
  const logits = teacherLogits(labelSetKind, [row(0, 1, 0.5)], 3)!;
  expect([...logits].every(Number.isFinite)).toBe(true);
  expect(logits[2]).toBe(0);
});

describe('a teacher', () => {
  const rowsOf = (...labels: string[]) =>
    labels.map((label, i) => ({ line: i + 1, text: `text ${i}`, label }));
  const file = (...labels: string[]) => ({ rows: rowsOf(...labels), fileName: 'x.tsv', skipped: [] });

  it('answers in the order of the labels, and knows all of them', () => {
    const { vector } = singleLabelClassification.teaching!;
    const answer = { logits: [9, 9], probabilities: { b: 0.25, a: 0.75 } };
    expect([...vector(answer, ['a', 'b'])].map(Math.exp)).toEqual([
      expect.closeTo(0.75, 6),
      expect.closeTo(0.25, 6),
    ]);
    expect(() => vector(answer, ['a', 'c'])).toThrow('does not know the label "c"');
  });

  it('teaches rows without labels after the labeled ones', () => {
    const { withUnlabelled, withAnswers, inputs } = regression.teaching!;
    const joined = withUnlabelled(file('1', '3'), file('', ''));
    expect(inputs(joined)).toHaveLength(4);
    const { rows, unlabelled } = withAnswers(
      joined,
      [2, 3, 4, 5].map((score) => Float32Array.of(score)),
    );
    const all = [...rows, ...unlabelled!] as TaughtRow[];
    expect(all.map(({ taught }) => taught![0])).toEqual([2, 3, 4, 5]);
    // A mean of both squared errors differs by a constant from the error of the mean.
    const reading = { teacher: 'x', teacher_share: 0.25 };
    const targets = taughtTargets(scoreKind, Float32Array.of(1, 3), all, 1, reading);
    expect([...targets]).toEqual([1.25, 3, 4, 5]);
  });

  it('is needed by the keys about it, and reads no vectors', () => {
    const data = { train: 'x', text: 'text', label: 'label' };
    const paths = (more: object) =>
      multiLabelClassification.problems!(labeledDataSchema.parse({ ...data, ...more })).map(({ path }) =>
        path.join('.'),
      );
    expect(paths({ unlabelled: 'y', temperature: 1 })).toEqual(['data.unlabelled', 'data.temperature']);
    expect(paths({ teacher: 'runs/a', pooling: 'mean' })).toEqual(['data.pooling']);
    expect(paths({ teacher: 'runs/a', unlabelled: 'y', teacher_share: 1 })).toEqual([]);
  });
});

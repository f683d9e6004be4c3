import { expect, it } from 'vitest';
import type { Row } from '../../input/data/rows.ts';
import type { Mistake } from '../../program/example-set.ts';
import { scoreKind } from '../regression/definition.ts';
import { classKind } from '../single-label-classification/definition.ts';
import { labelEvaluation } from './label-evaluation.ts';

const LABELS = ['ham', 'spam'];

/** The errors of rows with these logits, of the rows `some`. */
function mistakesOf(
  rows: readonly Omit<Row, 'line'>[],
  logits: readonly number[][],
  some: readonly number[],
  kind: typeof classKind | typeof scoreKind = classKind,
): Mistake[] | undefined {
  // The tokens do not matter, because the logits are given.
  const modality = { rows: () => ({ lengths: new Int32Array(rows.length), truncated: 0 }) };
  const context = { labels: LABELS, reading: {}, modality } as never;
  const numbered = rows.map((row, i) => ({ line: i + 1, ...row }));
  const labeled = { rows: numbered, fileName: 'rows.tsv', skipped: [] };
  const { rows: evaluated } = labelEvaluation(
    kind as typeof classKind,
    labeled,
    context,
    logits[0]!.length,
    8,
  );
  let mistakes: Mistake[] | undefined;
  evaluated!.tell(
    logits.map((row) => Float32Array.from(row)),
    Int32Array.from(some),
    {
      onMistakes(find) {
        mistakes = find();
      },
    },
  );
  return mistakes;
}

it('records the most confident wrong predictions of the judged rows, the most confident first', () => {
  const rows = ['right', 'close', 'confident', 'not judged'].map((text) => ({ text, label: 'ham' }));
  rows.push({ text: 'missed', label: 'spam' });
  const logits = [
    [2, 0],
    [0, 0.1],
    [0, 3],
    [0, 9],
    [1, 0],
  ];
  expect(mistakesOf(rows, logits, [0, 1, 2, 4])).toEqual([
    { text: 'confident', label: 'ham', predicted: 'spam', probability: expect.closeTo(0.953, 3) },
    { text: 'missed', label: 'spam', predicted: 'ham', probability: expect.closeTo(0.731, 3) },
    { text: 'close', label: 'ham', predicted: 'spam', probability: expect.closeTo(0.525, 3) },
  ]);
});

it('records at most 20 errors with at most 200 characters of each text', () => {
  const rows = Array.from({ length: 30 }, () => ({ text: '😀'.repeat(300), textPair: 'b', label: 'ham' }));
  const mistakes = mistakesOf(
    rows,
    rows.map(() => [0, 1]),
    [...rows.keys()],
  )!;
  expect(mistakes).toHaveLength(20);
  expect(mistakes[0]).toMatchObject({ text: `${'😀'.repeat(199)}…`, text_pair: 'b' });
});

it('records a preview of a file', () => {
  const content = { medium: 'image', small: Uint8Array.of(1), digest: 'a', preview: () => 'data:,x' };
  const [mistake] = mistakesOf([{ text: 'a.png', label: 'ham', content }], [[0, 1]], [0])!;
  expect(mistake).toMatchObject({ text: 'a.png', preview: 'data:,x' });
});

it('records no errors for labels that are numbers', () => {
  expect(mistakesOf([{ text: 'a', label: '1' }], [[3]], [0], scoreKind)).toBeUndefined();
});

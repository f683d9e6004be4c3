import { describe, expect, it } from 'vitest';
import { readTable } from '../../input/data/table/read-table.ts';
import { Random } from '../../support/random.ts';
import { LabelSession } from './label-session.ts';
import { Labeling, margin } from './labeling.ts';

const LABELS = ['left', 'right', 'above'];
const ROWS = 90;

/** Vectors around three points, with noise. */
const truth = Array.from({ length: ROWS }, (_, row) => LABELS[row % 3]!);
const vectors = truth.map((label, row) => {
  const [x, y] = { left: [-1, 0], right: [1, 0], above: [0, 1.5] }[label]!;
  const random = new Random(row, 'noise');
  return Float32Array.of(x! + 0.3 * random.normal(), y! + 0.3 * random.normal(), random.normal() * 0.1);
});
const rows = truth.map((label, row) => ({ text: `${label}, "quoted"\n${row}` }));

async function labelRows(count: number, wrong: readonly number[] = []): Promise<Labeling> {
  const labeling = new Labeling(vectors, LABELS);
  while (labeling.answers.length < count) {
    const { row, isRandom } = (await labeling.ask())!;
    const label = wrong.includes(labeling.answers.length) ? LABELS[(row + 1) % 3]! : truth[row]!;
    labeling.answer({ row, isRandom, labels: [label] });
  }
  return labeling;
}

describe('labeling', () => {
  it('asks for the smallest margin, except for rows that are reserved for the estimate', async () => {
    const all = await labelRows(ROWS);
    const reserved = all.answers.filter(({ isRandom }) => isRandom).map(({ row }) => row);
    expect(reserved).toHaveLength(ROWS / 5);
    const labeling = await labelRows(10);
    expect(labeling.answers.some(({ row }) => reserved.includes(row))).toBe(false);
    let drawn = 0;
    while (labeling.answers.length < 60) {
      const asked = (await labeling.ask())!;
      if (asked.isRandom) {
        // Their order was drawn before the first answer.
        expect(asked.row).toBe(reserved[drawn++]);
      } else {
        const guesses = (await labeling.guess(labeling.labeled.filter(({ isRandom }) => !isRandom)))!;
        const taken = new Set([...reserved, ...labeling.answers.map(({ row }) => row)]);
        const open = [...rows.keys()].filter((row) => !taken.has(row));
        expect(margin(guesses, asked.row)).toBe(Math.min(...open.map((row) => margin(guesses, row))));
      }
      labeling.answer({ ...asked, labels: [truth[asked.row]!] });
    }
    // A fifth of 50: the draws depend on the number of answers alone, so this number does not change.
    expect(drawn).toBeGreaterThanOrEqual(5);
    expect(drawn).toBeLessThanOrEqual(16);
  });

  it('asks the same after a restart, and after an answer was taken back', async () => {
    const labeling = await labelRows(25);
    const next = await labeling.ask();
    expect(await new Labeling(vectors, LABELS, labeling.answers).ask()).toEqual(next);
    labeling.answer({ row: next!.row, labels: ['left'] });
    labeling.undo();
    expect(await labeling.ask()).toEqual(next);
  });

  it('estimates the accuracy from random rows alone, and finds labels that contradict the others', async () => {
    const labeling = await labelRows(45, [20, 30]);
    const { random, contradictions } = await labeling.review();
    expect(random!.rows).toBe(labeling.answers.filter(({ isRandom }) => isRandom).length);
    expect(random!.right / random!.rows).toBeGreaterThan(0.6);
    const wrong = [20, 30].map((i) => labeling.answers[i]!.row);
    expect(contradictions.filter((row) => wrong.includes(row)).length).toBeGreaterThan(0);
    expect(contradictions.filter((row) => !wrong.includes(row))).toEqual([]);
  });

  it('ends when all rows have an answer', async () => {
    const labeling = await labelRows(ROWS);
    expect(await labeling.ask()).toBeUndefined();
    expect((await labeling.review()).isStable).toBe(true);
  });
});

describe('a session', () => {
  it('skips, takes back, finds and corrects', async () => {
    const { answers } = await labelRows(45, [20]);
    const wrong = answers[20]!;
    const session = new LabelSession(rows, vectors, LABELS, answers);
    const begun = await session.begin();
    expect((await session.act({ find: 'in no row' })).notice).toBe('No row without a label has these words.');
    const open = [...rows.keys()].filter((row) => !answers.some((answer) => answer.row === row)).at(-1)!;
    expect((await session.act({ find: `${open}` })).asked).toMatchObject({ row: open, isRandom: false });
    expect((await session.act('skip')).answers).toHaveLength(46);
    expect(await session.act('undo')).toMatchObject({ asked: begun.asked, answers });
    const { asked } = await session.act('check');
    expect(asked).toMatchObject({
      row: wrong.row,
      earlier: wrong.labels,
      guess: { labels: [truth[wrong.row]] },
    });
    const { answers: now, asked: after } = await session.act({ label: truth[wrong.row]! });
    expect(now[20]).toEqual({ ...wrong, labels: [truth[wrong.row]] });
    expect([now.length, after!.row]).toEqual([45, expect.any(Number)]);
    expect((await session.act('check')).notice).toBe('No label contradicts the others.');
  });

  it('learns several labels of a row', async () => {
    const sides = truth.map((label, row) =>
      [label, ...(row % 2 === 0 ? ['even'] : [])].slice(label === 'left' ? 1 : 0),
    );
    const marked = vectors.map((vector, row) => Float32Array.of(...vector, row % 2 === 0 ? 1 : -1));
    const session = new LabelSession(rows, marked, ['right', 'above', 'even'], [], true);
    let state = await session.begin();
    while (state.labeled < 40) {
      const { row } = state.asked!;
      for (const label of ['even', ...sides[row]!]) state = await session.act({ label });
      expect(state.asked!.chosen!.includes('even')).toBe(!sides[row]!.includes('even'));
      state = await session.act({ label: 'even' });
      state = await session.act('next');
    }
    expect(
      state.answers.every(({ row, labels }) => sides[row]!.toSorted().join() === labels!.toSorted().join()),
    ).toBe(true);
    expect(state.review!.random!.right / state.review!.random!.rows).toBeGreaterThan(0.6);
    expect(state.asked!.guess!.labels.toSorted()).toEqual(sides[state.asked!.row]!.toSorted());
    const table = readTable(session.table('csv'), 'rows.csv');
    expect(table.rows.map((row) => row[1]!.split(';').filter(Boolean))).toEqual(
      state.answers.map(({ labels }) => labels),
    );
  });

  it.each(['csv', 'jsonl'] as const)('writes its labels as %s that can be read back', async (form) => {
    const { answers } = await labelRows(12);
    const session = new LabelSession(rows, vectors, LABELS, answers);
    const table = readTable(session.table(form), `rows.${form}`);
    expect(table.columns).toEqual(['text', 'label']);
    expect(table.rows).toEqual(answers.map(({ row }) => [rows[row]!.text, truth[row]]));
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { textsIn } from '../../../tests/support/plain-texts.ts';
import { ALONE } from '../../program/parallel/communicator.ts';
import { bestSpans, predictSpans } from './best-spans.ts';
import { bestOfAll } from './definition.ts';
import { type AnsweredText, questionExamples } from './question-examples.ts';
import { CONTEXT, type SpanFeature } from './span-features.ts';
import { squadFiles } from './squad-json.ts';

interface Case {
  max_length: number;
  doc_stride: number;
  features: {
    question: string;
    ids: string;
    types: string;
    /** Numbers separated by spaces. For each token of the context: its first character, and the end (exclusive). */
    offsets: string;
    labels: string;
    logits: string[];
  }[];
  answers: {
    settings: [boolean, number, number, number];
    predictions: Record<string, string>;
    /** The best spans: text, start logit, end logit, probability. */
    nbest: Record<string, [string, number, number, number][]>;
    sizes: string;
    null_odds?: Record<string, number>;
  }[];
}

interface Fixture {
  model: string;
  rows: { id: string; question: string; context: string; text: string | null; start: number }[];
  cases: Case[];
}

/** Computed with the tokens of models like BERT, RoBERTa and DeBERTa. */
const FIXTURES = ['oracle', 'roberta', 'deberta-v3'].map(
  (name) => `src/tasks/question-answering/fixtures/${name}.json`,
);
const { QUESTION_CASES } = process.env;

/** Opens a fixture, its questions, and the context for its examples. */
async function opened(path: string) {
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const textsUpTo = await textsIn(fixture.model, { typeVocabSize: 2 });
  const questions = fixture.rows.map(
    ({ id, question, context, text, start }): AnsweredText => ({
      id,
      question,
      context,
      answers: text === null ? [] : [{ text, start }],
    }),
  );
  const examplesOf = (window: Pick<Case, 'max_length' | 'doc_stride'>, labeled = true) => {
    return questionExamples(questions, textsUpTo(window.max_length), window.doc_stride, labeled);
  };
  return { ...fixture, questions, examplesOf };
}

const { examplesOf } = await opened(FIXTURES[0]!);
const fixtures = await Promise.all((QUESTION_CASES ? [QUESTION_CASES] : FIXTURES).map(opened));
const windows = fixtures.flatMap(({ cases, ...fixture }) =>
  cases.map((expected) => ({ ...fixture, ...expected, expected })),
);
describe.each(windows)('$model: $max_length tokens, $doc_stride in common', (of) => {
  const { expected, questions } = of;
  const set = of.examplesOf(of);

  it("features equal transformers' run_qa.py", () => {
    const shown = ({ inputIds, tokenTypeIds, starts, ends, sequenceIds }: SpanFeature, i: number) => ({
      question: questions[set.questions[i]!]!.id,
      ids: inputIds.join(' '),
      types: tokenTypeIds.join(''),
      offsets: [...starts]
        .flatMap((start, token) => (sequenceIds[token] === CONTEXT ? [start, ends[token]] : []))
        .join(' '),
      labels: `${set.labels[i]!.start} ${set.labels[i]!.end}`,
    });
    expect(set.features.map(shown)).toEqual(expected.features.map(({ logits: _, ...feature }) => feature));
  });

  it.each(expected.answers)('answers with $settings equal utils_qa.py', ({ settings, ...answers }) => {
    const [version_2_with_negative, n_best_size, max_answer_length, null_score_diff_threshold] = settings;
    const logits = expected.features.map(({ logits: [start, end] }) => ({
      start: Float32Array.from(start!.split(' ').map(Number)),
      end: Float32Array.from(end!.split(' ').map(Number)),
    }));
    const search = { version_2_with_negative, n_best_size, max_answer_length, null_score_diff_threshold };
    const found = bestOfAll(questions, set, logits, search);
    const ids = questions.map(({ id }) => id);
    const files = squadFiles(ids, found);
    const read = (name: string) => JSON.parse(files[name] ?? 'null');
    expect(read('predictions.json')).toEqual(answers.predictions);
    expect(read('null_odds.json')).toEqual(answers.null_odds ?? null);
    const nbest: Record<string, Record<string, unknown>[]> = read('nbest_predictions.json');
    expect(ids.map((id) => nbest[id]!.length).join(' ')).toEqual(answers.sizes);
    for (const id of ids) {
      answers.nbest[id]!.forEach(([text, start_logit, end_logit, probability], i) => {
        // The fixture computes exponentials in 32 bits, adalora in 64.
        const near = expect.closeTo(probability, 6);
        expect(nbest[id]![i]).toEqual({ text, start_logit, end_logit, probability: near });
      });
    }
  });
});

it('batches have the labels of their features', () => {
  const set = examplesOf({ max_length: 24, doc_stride: 6 });
  const { feeds, weight } = set.batch(Int32Array.of(1, 0), 0);
  const labels = [set.labels[1], set.labels[0]];
  expect(weight).toBe(2);
  expect([...feeds.start_positions!.data]).toEqual(labels.map((label) => label?.start));
  expect([...feeds.end_positions!.data]).toEqual(labels.map((label) => label?.end));
  expect(
    examplesOf({ max_length: 24, doc_stride: 6 }, false).batch(Int32Array.of(0), 0).feeds,
  ).not.toHaveProperty('start_positions');
});

it('reports mismatched question, windows and stride', () => {
  expect(() => examplesOf({ max_length: 24, doc_stride: 20 })).toThrow(
    /^data\.doc_stride, question q0 must be less than 1\d, the tokens left /,
  );
  expect(() => examplesOf({ max_length: 5, doc_stride: 0 })).toThrow(
    /^question q0 leaves no room for the context: \d+ of 5 tokens are the question and special ones\./,
  );
});

it('the first question with logits that are not finite is named', async () => {
  const set = examplesOf({ max_length: 24, doc_stride: 6 });
  let asked = 0;
  const batch = (chosen: Int32Array, number: number) => {
    asked = chosen[0]!;
    return set.batch(chosen, number);
  };
  // [2, 1, sequence]. From the third question on, the last end of every window is NaN.
  const predict = async () => {
    const logits = new Float32Array(2 * set.lengths[asked]!);
    return set.questions[asked]! < 2 ? logits : logits.fill(Number.NaN, logits.length - 1);
  };
  const logits = predictSpans({ predict, communicator: ALONE }, new Float32Array(0), { ...set, batch }, 1);
  await expect(logits).rejects.toThrow('Row 3 has logits that are not finite');
});

it('if no span is left, the answer is that of utils_qa.py: "empty"', () => {
  const feature = examplesOf({ max_length: 24, doc_stride: 6 }).features[0]!;
  const logits = new Float32Array(feature.inputIds.length);
  const search = { n_best_size: 1, max_answer_length: 30, null_score_diff_threshold: 0 };
  const windows = [{ feature, logits: { start: logits, end: logits } }];
  expect(bestSpans(windows, 'The cat', search).answer.text).toBe('empty');
  const { answer, nullOdds } = bestSpans(windows, 'The cat', { ...search, version_2_with_negative: true });
  expect([answer.text, nullOdds]).toEqual(['empty', 0]);
});

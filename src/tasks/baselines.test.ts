import { describe, expect, it } from 'vitest';
import { textInMemory } from '../input/data/rows.ts';
import { type Baseline, firstSentence } from '../scores/baselines/baseline.ts';
import { TASK_NAMES, type TaskName, taskNamed } from './registry.ts';

/** Fits the baselines of a task on `train` and scores them on `validation`. Returns them by name. */
async function baselinesOf(
  task: TaskName,
  data: object,
  train: readonly object[],
  validation = train,
  labels: readonly string[] = [],
) {
  const definition = taskNamed(task);
  const reading = definition.data.parse({ train: 'x', ...data });
  const [learnt, scored] = [train, validation].map((rows) =>
    definition.files.read(
      [textInMemory('x.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'))],
      reading,
    ),
  );
  return definition.baselines!.ofRows!(learnt, scored, { labels, reading });
}

const columns = { text: 'text', label: 'label' };
const words = ['good', 'good', 'good', 'good', 'bad', 'bad', 'bad'];

describe('baselines', () => {
  // The baseline of a task that may keep the model as it was is that model.
  const answering = TASK_NAMES.filter(
    (name) => !taskNamed(name).words.instead && !taskNamed(name).training.mayKeepStart,
  );
  it.each(answering)('exist for %s', (name) => {
    expect(taskNamed(name).baselines?.ofRows).toBeTypeOf('function');
  });

  it('of classes are a bag of words and the majority class, whose loss is the entropy of the shares', async () => {
    const train = words.map((text) => ({ text, label: text === 'good' ? 'yes' : 'no' }));
    const found = await baselinesOf('single_label_classification', columns, train, train.slice(2), [
      'no',
      'yes',
    ]);
    expect(found).toMatchObject([
      { name: 'a bag of words', isBlind: false, scores: { accuracy: 1, f1: 1 } },
      { name: 'always "yes"', isBlind: true, scores: { accuracy: 2 / 5, matthews_correlation: 0 } },
    ]);
    expect(found[1]!.scores.loss).toBeCloseTo(-(2 * Math.log(4 / 7) + 3 * Math.log(3 / 7)) / 5, 6);
  });

  it('of three classes are fitted together', async () => {
    const train = [...words, 'so', 'so'].map((text) => ({ text, label: text }));
    const [bag, usual] = await baselinesOf('single_label_classification', columns, train, train, [
      'bad',
      'good',
      'so',
    ]);
    expect(bag!.scores.accuracy).toBe(1);
    expect(usual).toMatchObject({ name: 'always "good"', scores: { accuracy: 4 / 9 } });
  });

  it('of sets of labels are a bag of words, and the labels of more than half of the rows', async () => {
    const train = words.map((text) => ({ text, label: text === 'good' ? ['a', 'b'] : ['b'] }));
    const found = await baselinesOf('multi_label_classification', columns, train, train, ['a', 'b']);
    expect(found).toMatchObject([
      { name: 'a bag of words', scores: { accuracy: 1, f1: 1 } },
      { name: 'always "a", "b"', isBlind: true, scores: { accuracy: 4 / 7 } },
    ]);
    const rare = words.map((text) => ({ text, label: text === 'bad' ? ['a'] : [] }));
    expect((await baselinesOf('multi_label_classification', columns, rare, rare, ['a']))[1]!.name).toBe(
      'never a label',
    );
  });

  it('of numbers are ridge regression, and the mean, whose correlation is undefined', async () => {
    const train = words.map((text) => ({ text, label: text === 'good' ? 2 : 1 }));
    const [ridge, mean] = await baselinesOf('regression', columns, train);
    expect(ridge!.scores.pearson).toBeCloseTo(1, 6);
    expect(mean).toMatchObject({
      name: 'always the mean, 1.57',
      isBlind: true,
      scores: { pearson: Number.NaN },
    });
    expect(mean!.scores.r2).toBeCloseTo(0, 6);
  });

  it('of tokens are the most frequent tag of each word, and the most frequent tag', async () => {
    const sentence = (tokens: string, tags: string) => ({ tokens: tokens.split(' '), tags: tags.split(' ') });
    const train = [sentence('Ann saw Bob', 'B-PER O B-PER'), sentence('they saw it all', 'O O O O')];
    const scored = [sentence('Bob saw Eve', 'B-PER O B-PER')];
    expect(await baselinesOf('token_classification', {}, train, scored)).toMatchObject([
      { name: "each word's most frequent tag", scores: { precision: 1, recall: 1 / 2, accuracy: 2 / 3 } },
      { name: 'always "O"', isBlind: true, scores: { f1: 0, accuracy: 1 / 3 } },
    ]);
  });

  it('of questions are the first sentence, and no answer if that may be right', async () => {
    const asked = { question: 'Who?', context: 'Ann. Bob saw it.', answers: ['Ann.'] };
    const rows = [{ ...asked, answers: { text: ['Ann'], answer_start: [0] } }];
    expect(await baselinesOf('question_answering', {}, rows)).toMatchObject([
      { name: 'the first sentence', scores: { exact_match: 1, f1: 1 } },
    ]);
    const none = [...rows, { ...asked, answers: { text: [], answer_start: [] } }];
    expect((await baselinesOf('question_answering', {}, none))[1]).toMatchObject({
      name: 'never an answer',
      isBlind: true,
      scores: { exact_match: 1 / 2 },
    });
  });

  it('of vectors are common words, for pairs, scores, classes and a corpus', async () => {
    const columns = { anchor: 'q', positive: 'a', negative: 'n' };
    const pairs = [
      { q: 'the cat', a: 'old cat', n: 'old dog' },
      { q: 'the dog', a: 'red dog', n: 'the dog is' },
    ];
    // The second question shares two words with its negative and one word with its positive.
    expect(await baselinesOf('sentence_embedding', columns, pairs)).toMatchObject([
      { name: 'a bag of words', isBlind: false, scores: { 'accuracy@1': 1 / 2, triplet_accuracy: 1 / 2 } },
    ]);
    const scored = { text: 'a', text_pair: 'b', label: 's' };
    const alike = [
      { a: 'one two', b: 'one two', s: 1 },
      { a: 'one two', b: 'one four', s: 0.5 },
      { a: 'one two', b: 'six', s: 0 },
    ];
    expect((await baselinesOf('sentence_embedding', scored, alike))[0]!.scores.spearmanr).toBeCloseTo(1, 6);
    const labeled = ['red cat', 'old cat', 'red dog', 'old dog'].map((text) => ({
      text,
      label: text.split(' ')[1],
    }));
    const [{ scores }] = (await baselinesOf(
      'sentence_embedding',
      { text: 'text', label: 'label' },
      labeled,
    )) as [Baseline];
    // Two texts share a word with the query, and one of them has its class. That text is ranked first or second.
    expect(scores['recall@5']).toBe(1);
  });

  it('of texts are copies from the source', async () => {
    const rows = [{ source: 'One two. Three four.', target: 'One two.' }];
    expect(await baselinesOf('seq2seq_lm', {}, rows)).toMatchObject([
      { name: 'the first sentence', scores: { rougeL: 1 } },
      { name: 'a copy of the source', scores: { rouge1: 2 / 3 } },
    ]);
    expect(await baselinesOf('seq2seq_lm', { predict_with_generate: false }, rows)).toEqual([]);
  });
});

it.each([
  ['Is it so? "Yes." No.', 'Is it so?'],
  ['  It is 3.5 m.\nNo.', 'It is 3.5 m.'],
  ['He said "no." Then', 'He said "no."'],
  ['no end', 'no end'],
  ['a line\nanother', 'a line'],
  ['', ''],
])('the first sentence of %j is %j', (text, sentence) => expect(firstSentence(text)).toBe(sentence));

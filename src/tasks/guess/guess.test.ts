import { describe, expect, it } from 'vitest';
import { readTable } from '../../input/data/table/read-table.ts';
import { type Given, guessData, guessTexts, listKeys } from './guess-data.ts';

const WORDS = 'amber bridge cloud dune ember fjord grove harbor island jungle kettle lagoon'.split(' ');
/** A text of some words, different for each number. */
const words = (i: number, count = 6) =>
  [
    ...Array.from({ length: count }, (_, j) => `${WORDS[(i + j) % 12]}${WORDS[(i * j + j) % 12]}`),
    `no ${i}`,
  ].join(' ');

/** A CSV file of 40 rows. Each column has a function from the row's number to a field. */
function csv(columns: Record<string, (row: number) => string | number>, rows = 40): string {
  const quoted = (field: string | number) => `"${field}"`;
  const lines = Array.from({ length: rows }, (_, i) =>
    Object.values(columns)
      .map((field) => quoted(field(i)))
      .join(','),
  );
  return [Object.keys(columns).map(quoted).join(','), ...lines].join('\n');
}

const jsonl = (row: (i: number) => object) =>
  Array.from({ length: 30 }, (_, i) => JSON.stringify(row(i))).join('\n');

const ab = (i: number) => 'ab'[i % 2]!;
const related = (i: number) => words(i).replace('no', 'number');

/** The task of each guess, with its columns by the keys of `data`. */
function guessed(content: string, name = 'x.csv', given: Given = {}): string[] {
  const table = readTable(content, name);
  return guessData(table, given).map((guess) => {
    const at = listKeys(guess).map(({ key, at }) => `${key}=${table.columns[at]}`);
    return [guess.task, ...at, ...(guess.separator ? [`"${guess.separator}"`] : [])].join(' ');
  });
}

const CLASS = 'single_label_classification';

describe('a table is recognized', () => {
  it.each<[string, string, string[]]>([
    ['texts and labels', csv({ text: words, label: ab }), [`${CLASS} text=text label=label`]],
    [
      'questions, of which several have the same answer',
      csv({ question: words, answer: (i) => `ask at the desk for ${WORDS[i % 4]}` }),
      ['sentence_embedding anchor=question positive=answer', `${CLASS} text=question label=answer`],
    ],
    [
      'questions that are answered with yes or no',
      csv({ question: words, answer: (i) => ['yes', 'no'][i % 2]! }),
      [`${CLASS} text=question label=answer`],
    ],
    ['labels first', csv({ queue: ab, body: words }), [`${CLASS} text=body label=queue`]],
    [
      'ids, numbers of rows and dates are no labels',
      csv({ ticket_id: (i) => i % 5, Nr: (i) => i, message: words, date: () => '2026-01-01', kind: ab }),
      [`${CLASS} text=message label=kind`],
    ],
    [
      'groups of rows are no labels',
      csv({
        user: (i) => `u${i % 4}`,
        split: (i) => ['train', 'test'][i % 2]!,
        text: words,
        label: (i) => 'xyz'[i % 3]!,
      }),
      [`${CLASS} text=text label=label`],
    ],
    [
      'two texts that are compared, by name',
      csv({ sentence1: words, sentence2: (i) => words(i + 1), label: ab }),
      [`${CLASS} text=sentence1 text_pair=sentence2 label=label`],
    ],
    [
      'premise and hypothesis',
      csv({ premise: words, hypothesis: (i) => words(i + 1), gold_label: (i) => 'xyz'[i % 3]! }),
      [`${CLASS} text=premise text_pair=hypothesis label=gold_label`],
    ],
    [
      'similarities of pairs',
      csv({ sentence1: words, sentence2: related, score: (i) => (i % 26) / 5 }),
      ['regression text=sentence1 text_pair=sentence2 label=score'],
    ],
    [
      'numbers on a scale',
      csv({ text: words, price: (i) => i * 1.5 + 0.25 }),
      ['regression text=text label=price'],
    ],
    [
      'ratings may be classes or a scale',
      csv({ review: words, stars: (i) => (i % 5) + 1 }),
      [`${CLASS} text=review label=stars`, 'regression text=review label=stars'],
    ],
    [
      'questions and answers',
      csv({ question: words, answer: (i) => words(i + 9, 12) }),
      ['sentence_embedding anchor=question positive=answer'],
    ],
    [
      'anchors with hard negatives',
      csv({ anchor: words, positive: (i) => words(i + 9), negative: (i) => words(i + 20) }),
      ['sentence_embedding anchor=anchor positive=positive negative=negative'],
    ],
    [
      'questions and answers with a topic',
      csv({ question: words, answer: (i) => words(i + 9, 12), category: (i) => `topic ${i % 6}` }),
      ['sentence_embedding anchor=question positive=answer', `${CLASS} text=question label=category`],
    ],
    [
      'whether an answer fits its question',
      csv({ question: words, sentence: (i) => words(i + 9, 12), label: (i) => ['yes', 'no'][i % 2]! }),
      [
        `${CLASS} text=question text_pair=sentence label=label`,
        'sentence_embedding anchor=question positive=sentence',
      ],
    ],
    [
      'documents that are relevant to a query, or not',
      csv({ query: words, document: (i) => words(i + 9, 12), relevance: (i) => i % 2 }),
      [
        'reranking query=query text=document label=relevance',
        'sentence_embedding text=query text_pair=document label=relevance',
      ],
    ],
    [
      'labels of texts for a query',
      csv({ query: words, text: (i) => words(i + 9, 12), label: (i) => i % 2 }),
      ['reranking query=query text=text label=label'],
    ],
    [
      'grades of relevance beside ids',
      csv({
        query_id: (i) => i % 7,
        query: words,
        doc_id: (i) => i,
        document: (i) => words(i + 9, 12),
        relevance: (i) => i % 4,
      }),
      ['sentence_embedding text=query text_pair=document label=relevance'],
    ],
    [
      'grades of several documents for each query',
      csv({ query: (i) => words(i % 8), document: (i) => words(i + 9, 12), relevance: (i) => i % 4 }),
      [
        'reranking query=query text=document label=relevance',
        'sentence_embedding text=query text_pair=document label=relevance',
      ],
    ],
    [
      'articles and summaries',
      csv({ article: (i) => words(i, 40), summary: words }),
      ['seq2seq_lm source=article target=summary'],
    ],
    [
      'sources and targets that are texts',
      csv({ source: (i) => words(i, 40), target: words }),
      ['seq2seq_lm source=source target=target'],
    ],
    [
      'two texts of unknown purpose',
      csv({ left: words, right: (i) => words(i + 9, 30) }),
      ['sentence_embedding anchor=left positive=right', 'seq2seq_lm source=left target=right'],
    ],
    [
      'several labels in a field, in any order',
      csv({
        text: words,
        tags: (i) => ['billing,shipping', 'shipping,billing', 'billing', 'returns'][i % 4]!,
      }),
      ['multi_label_classification text=text label=tags ","'],
    ],
    [
      'two columns that may be labels',
      csv({ message: words, priority: ab, team: (i) => 'xyz'[i % 3]! }),
      [`${CLASS} text=message label=priority`, `${CLASS} text=message label=team`],
    ],
    [
      'without a header',
      csv({ '12': (i) => i, 'a text of several words': words, a: ab }).replaceAll('"12"', '"1"'),
      [`${CLASS} text=column 2 label=column 3`],
    ],
  ])('%s', (_, content, expected) => expect(guessed(content)).toEqual(expected));

  it.each<[string, string, string, string[]]>([
    [
      'a JSON array',
      'x.json',
      `[${jsonl((i) => ({ text: words(i), label: ab(i) })).replaceAll('\n', ',')}]`,
      [`${CLASS} text=text label=label`],
    ],
    [
      'JSON Lines by any name',
      'x.csv',
      jsonl((i) => ({ text: words(i), label: ab(i) })),
      [`${CLASS} text=text label=label`],
    ],
    [
      'lists of labels',
      'x.jsonl',
      jsonl((i) => ({ text: words(i), topics: ['a', 'b', 'c'].slice(i % 3) })),
      ['multi_label_classification text=text label=topics'],
    ],
    [
      'conversations',
      'x.jsonl',
      jsonl((i) => ({ messages: [{ role: 'user', content: words(i) }] })),
      ['causal_lm'],
    ],
    [
      'prompts',
      'x.jsonl',
      jsonl((i) => ({ prompt: words(i), completion: words(i + 3) })),
      ['causal_lm prompt=prompt completion=completion'],
    ],
    [
      'questions with spans',
      'x.jsonl',
      jsonl((i) => ({
        question: words(i),
        context: words(i, 30),
        answers: { text: ['a'], answer_start: [0] },
      })),
      ['question_answering'],
    ],
    [
      'tagged words',
      'x.jsonl',
      jsonl((i) => ({
        tokens: words(i).split(' '),
        ner_tags: words(i)
          .split(' ')
          .map(() => 'O'),
      })),
      ['token_classification'],
    ],
    [
      'texts alone',
      'x.jsonl',
      jsonl((i) => ({ text: words(i) })),
      ['causal_lm text=text', 'masked_lm text=text'],
    ],
    [
      'fields between semicolons',
      'x.txt',
      csv({ text: words, label: ab }).replaceAll('","', '";"'),
      [`${CLASS} text=text label=label`],
    ],
  ])('%s', (_, name, content, expected) => expect(guessed(content, name)).toEqual(expected));

  it('finds lists of documents and of their grades for each query', () => {
    const row = (i: number) => ({ query: words(i), documents: [words(i + 9), words(i + 20)] });
    expect(
      guessed(
        jsonl((i) => ({ ...row(i), labels: [i % 3, 0] })),
        'x.jsonl',
      ),
    ).toEqual(['reranking query=query text=documents label=labels']);
  });

  it('finds the same list of candidates for each query', () => {
    const candidates = ['red wine', 'beer', 'white wine'];
    const labels = (i: number) => candidates.map((_, k) => Number(k === i % 3));
    expect(
      guessed(
        jsonl((i) => ({ query: words(i), text: candidates, label: labels(i) })),
        'x.jsonl',
      ),
    ).toEqual(['reranking query=query text=text label=label']);
  });

  it('does not learn from a list that all rows share, although it is the longest text', () => {
    const options = [words(0, 40), words(7, 40)];
    const content = jsonl((i) => ({ headline: words(i), options, category: ab(i) }));
    expect(guessed(content, 'x.jsonl')).toEqual([`${CLASS} text=headline label=category`]);
  });

  it('says how to train a reranker on questions and answers', () => {
    const table = readTable(csv({ question: words, answer: (i) => words(i + 9, 12) }), 'x.csv');
    expect(guessData(table)[0]!.reason).toContain('--task reranking');
    expect(
      guessed(csv({ query: words, positive: (i) => words(i + 9) }), 'x.csv', { task: 'reranking' }),
    ).toEqual(['reranking query=query positive=positive']);
  });

  it('as flags say', () => {
    const content = csv({ title: words, body: (i) => words(i, 30), team: ab, score: (i) => i / 3 });
    expect(guessed(content, 'x.csv', { label: 'team', text_pair: 'body', text: 'title' })).toEqual([
      `${CLASS} text=title text_pair=body label=team`,
    ]);
    expect(guessed(content, 'x.csv', { task: 'regression', label: 3 })).toEqual([
      'regression text=body label=score',
    ]);
    const pairs = csv({ a: words, b: (i) => words(i + 9, 30) });
    expect(guessed(pairs, 'x.csv', { task: 'seq2seq_lm', text: 'b', text_pair: 'a' })).toEqual([
      'seq2seq_lm source=b target=a',
    ]);
    expect(
      guessed(csv({ text: words, label: (i) => `${ab(i)};c` }), 'x.csv', {
        task: 'multi_label_classification',
      })[0],
    ).toMatch(/^multi_label_classification text=text label=label/);
  });
});

describe('a table is rejected', () => {
  it.each<[string, string, Given, RegExp]>([
    [
      'a label per row',
      csv({ text: words, label: (i) => words(i + 50) }),
      {},
      /has 40 different labels in 40 rows of column "label".*--task sentence_embedding/,
    ],
    [
      'numbers per row',
      csv({ text: words, label: (i) => i * 3 }),
      { task: CLASS },
      /different labels .*--task regression/,
    ],
    [
      'one label',
      csv({ text: words, label: () => 'yes' }),
      {},
      /has only one label in column "label".*--label COLUMN \(text, label\)/,
    ],
    [
      'a title above the columns',
      `"Report 2024",\n,\n${csv({ text: words, label: ab })}`,
      {},
      /has 2 lines above the names of its columns/,
    ],
    [
      'labels of fastText',
      Array.from({ length: 9 }, (_, i) => `__label__${ab(i)} ${words(i)}`).join('\n'),
      {},
      /as fastText writes them.*sed -E 's\/\^__label__/,
    ],
    ['a column of pandas', '{"text":{"0":"a","1":"b"}}', {}, /as pandas writes a table.*orient='records'/],
    ['no labels', csv({ text: words }), {}, /has one column, of texts and no column of labels/],
    ['no texts', csv({ a: (i) => i, b: (i) => i % 2 }), {}, /has no column of texts/],
    [
      'one text',
      csv({ text: () => 'the same', label: ab }),
      {},
      /has the same text in every row of column "text"/,
    ],
    [
      'columns that do not exist',
      csv({ text: words, label: ab }),
      { text: 'txt', label: 7 },
      /--text names "txt", .* Did you mean text\?[\s\S]*--label names "7", .* Its columns are 0 to 1/,
    ],
    [
      'a task that does not exist',
      csv({ text: words, label: ab }),
      { task: 'regresion' },
      /has no task "regresion". Did you mean regression\?/,
    ],
  ])('%s', (_, content, given, message) => expect(() => guessed(content, 'x.csv', given)).toThrow(message));
});

it('lines of text are not for a task that learns from rows', () => {
  expect(guessTexts('x.txt', undefined).map(({ task }) => task)).toEqual(['causal_lm', 'masked_lm']);
  expect(() => guessTexts('x.txt', 'regression')).toThrow('task regression learns from rows');
});

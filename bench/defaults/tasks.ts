import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageText } from '../../scripts/demo/mail/message-text.ts';
import { readCorpus } from '../../scripts/demo/mail/read-corpus.ts';
import { splitMails } from '../../scripts/demo/mail/split-mails.ts';
import { parseRows } from '../../src/input/data/parse-rows.ts';
import type { DataOptions } from '../../src/input/data/rows.ts';
import { Random } from '../../src/support/random.ts';

export interface LabeledRow {
  text: string;
  text_pair?: string;
  label: string;
}

export interface SuiteTask {
  name: string;
  task: 'single_label_classification' | 'regression';
  /** Reads the rows and shuffles them in a fixed order. No text is in both parts. */
  read(): { train: LabeledRow[]; test: LabeledRow[] };
}

/** Number of test rows. At an accuracy of 0.7, the standard error is 2.3 points. */
const TEST_ROWS = 400;
const DATA = process.env.ADALORA_SHARED_DATA ?? '../shared/data';

const glue = (file: string, options: Partial<DataOptions>): LabeledRow[] =>
  parseRows(readFileSync(join(DATA, 'glue', file), 'utf8'), file, {
    quote: false,
    label: 'label',
    ...options,
  } as DataOptions).map(({ text, textPair, label }) => ({
    text,
    ...(textPair !== undefined && { text_pair: textPair }),
    label: String(label),
  }));

const json = (file: string) => JSON.parse(readFileSync(join(DATA, file), 'utf8'));

/** Makes a training set and a test set from two files. */
function split(train: LabeledRow[], test: LabeledRow[]) {
  return apart(shuffled(train), shuffled(test).slice(0, TEST_ROWS));
}

/** Makes a training set and a test set from one file. The first rows in shuffled order are the test set. */
function cut(rows: LabeledRow[], testRows = TEST_ROWS) {
  const all = shuffled(rows);
  return apart(all.slice(testRows), all.slice(0, testRows));
}

function apart(train: LabeledRow[], test: LabeledRow[]) {
  const contentOf = ({ text, text_pair }: LabeledRow) => `${text}\n${text_pair ?? ''}`;
  const tested = new Set(test.map(contentOf));
  return { train: train.filter((row) => !tested.has(contentOf(row))), test };
}

function shuffled<T>(rows: readonly T[]): T[] {
  return Array.from(new Random(0, 'suite').permutation(rows.length), (i) => rows[i]!);
}

/** Number of words in a passage of a novel. */
const PASSAGE = 60;
const AUTHORS = 10;
const PASSAGES = 900;

/** Ten classes: who wrote this passage? */
function novels(): LabeledRow[] {
  const folder = join(DATA, 'text/novels');
  return readdirSync(folder)
    .sort()
    .slice(0, AUTHORS)
    .flatMap((name) => {
      const words = readFileSync(join(folder, name), 'utf8').split(/\s+/).filter(Boolean);
      // The first pages are skipped, because they contain the title and the author.
      return Array.from({ length: PASSAGES }, (_, i) => ({
        text: words.slice(1000 + i * PASSAGE, 1000 + (i + 1) * PASSAGE).join(' '),
        label: name.split('_')[0]!,
      })).filter(({ text }) => text !== '');
    });
}

/** Seven classes, including "none": what does the description of a restaurant say about its prices? */
function prices(): LabeledRow[] {
  const lines = parseRows(readFileSync(join(DATA, 'e2e/devset.csv'), 'utf8'), 'devset.csv', {
    text: 'ref',
    label: 'mr',
  } as DataOptions);
  return lines.map(({ text, label }) => ({
    text,
    label: /priceRange\[([^\]]*)\]/.exec(String(label))?.[1] ?? 'none',
  }));
}

/** 24 classes: to which article does a question belong? */
function topics(): LabeledRow[] {
  const articles: { title: string; paragraphs: { qas: { question: string }[] }[] }[] =
    json('squad/xquad.en.json').data;
  return articles
    .map(({ title, paragraphs }) => ({
      title,
      questions: paragraphs.flatMap(({ qas }) => qas.map(({ question }) => question)),
    }))
    .sort((a, b) => b.questions.length - a.questions.length)
    .slice(0, 24)
    .flatMap(({ title, questions }) => questions.map((text) => ({ text, label: title })));
}

function mails() {
  const { train, validation, test } = splitMails(
    readCorpus().map(({ source, label }) => ({ text: messageText(source), label })),
  );
  return split([...train, ...validation], test);
}

const PAIR = { text: 'sentence1', text_pair: 'sentence2' } as const;
const MRPC = { text: '#1 String', text_pair: '#2 String', label: 'Quality' } as const;
const COLA = { text: 3, label: 1, header: false } as const;
const STSB = { text: 5, text_pair: 6, label: 4, header: false } as const;
const classes = 'single_label_classification';

export const SUITE: readonly SuiteTask[] = [
  {
    name: 'SST-2',
    task: classes,
    read: () =>
      split(glue('SST-2/train.tsv', { text: 'sentence' }), glue('SST-2/dev.tsv', { text: 'sentence' })),
  },
  {
    name: 'CoLA',
    task: classes,
    read: () => split(glue('CoLA/train.tsv', COLA), glue('CoLA/dev.tsv', COLA)),
  },
  {
    name: 'MRPC',
    task: classes,
    read: () => split(glue('MRPC/train.tsv', MRPC), glue('MRPC/dev.tsv', MRPC)),
  },
  { name: 'RTE', task: classes, read: () => split(glue('RTE/train.tsv', PAIR), glue('RTE/dev.tsv', PAIR)) },
  {
    name: 'QNLI',
    task: classes,
    read: () => cut(glue('QNLI/dev.tsv', { text: 'question', text_pair: 'sentence' })),
  },
  {
    name: 'MNLI',
    task: classes,
    read: () => cut(glue('MNLI/dev_matched.jsonl', { text: 'premise', text_pair: 'hypothesis' })),
  },
  {
    name: 'STS-B',
    task: 'regression',
    read: () => split(glue('STS-B/sts-train.csv', STSB), glue('STS-B/sts-dev.csv', STSB)),
  },
  { name: 'e-mails', task: classes, read: mails },
  { name: 'novels', task: classes, read: () => cut(novels()) },
  { name: 'prices', task: classes, read: () => cut(prices()) },
  { name: 'topics', task: classes, read: () => cut(topics(), 250) },
];

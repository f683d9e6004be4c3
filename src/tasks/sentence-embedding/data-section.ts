import { z } from 'zod';
import { POOLING_MODES } from '../../models/sentence-settings.ts';
import { DISTANCES } from '../../nn/pair-losses.ts';
import { type Problem, shown } from '../../support/problem.ts';
import { dataFiles } from '../data-files.ts';

const column = z.union([z.string().min(1), z.int().min(0)], {
  error: 'expected a column: its name, or its number from 0',
});

export const LOSSES = ['multiple_negatives_ranking', 'cosent', 'cosine', 'triplet'] as const;

/** Which texts belong together, and the loss that says so. Names and defaults are those of sentence-transformers. */
export const embeddingDataSchema = z.strictObject({
  /** TSV, CSV or JSON Lines; or a folder in BEIR's form (corpus.jsonl, queries.jsonl, qrels), or one of its qrels. */
  ...dataFiles,
  /** Pairs and triplets: columns by name (header, JSON key) or by number from 0. */
  anchor: column.optional(),
  /** A text that belongs to the anchor. */
  positive: column.optional(),
  /** Texts that do not, though they may seem to: a column, or a list of columns. */
  negative: z.union([column, z.array(column).min(1)]).optional(),
  /** Scored pairs and labelled sentences. */
  text: column.optional(),
  /** The second text, where rows are pairs with a label. */
  text_pair: column.optional(),
  /** How alike a pair is, or the class of a sentence. */
  label: column.optional(),
  /** Whether the first line names the columns. Default: yes if any column is given by name. */
  header: z.boolean().optional(),
  /** Whether a double quote encloses fields. Default: yes in CSV, no in TSV. */
  quote: z.boolean().optional(),
  /** Between the fields of a table, where neither a tab (TSV) nor a comma (CSV) is. */
  delimiter: z.string().length(1, { error: 'expected one character' }).optional(),
  /** Tokens that a text may have, special ones included. Default: what the model says. */
  max_length: z.int().min(1).optional(),
  /** Default: multiple_negatives_ranking for pairs and triplets, cosent for scored pairs, triplet for labelled sentences. */
  loss: z.enum(LOSSES).optional(),
  /** By which cosines are multiplied. */
  scale: z.number().positive().default(20),
  /** Whether positives are to find their anchors as well. */
  symmetric: z.boolean().default(false),
  /** Of the triplet loss. */
  margin: z.number().positive().default(5),
  /** Of the triplet loss; labelled sentences are always compared by the Euclidean one. */
  distance: z.enum(DISTANCES).default('euclidean'),
  /** Largest label of a scored pair, by which labels are divided. */
  max_score: z.number().positive().default(1),
  /** Widths at which vectors are to be of use when they are cut. */
  matryoshka_dims: z.array(z.int().min(1)).min(1).optional(),
  /** By which the loss of each counts; by default 1. */
  matryoshka_weights: z.array(z.number().positive()).min(1).optional(),
  /** Texts computed at a time: less memory for a third more time. By default all of a batch. */
  mini_batch_size: z.int().min(1).optional(),
  /** How hidden states become one vector. Default: what the model says, else mean. */
  pooling: z.enum(POOLING_MODES).optional(),
  /** Whether vectors have length 1. Default: what the model says, else no. */
  normalize: z.boolean().optional(),
  /** What is put before texts: `query` before anchors, `document` before all others. Default: what the model says. */
  prompts: z.record(z.string(), z.string()).optional(),
});

export type EmbeddingData = z.output<typeof embeddingDataSchema>;

/** What a row is. */
export type EmbeddingForm = 'pairs' | 'scored' | 'labelled' | 'retrieval';

/** The form of a section's rows: without columns, that of BEIR. */
export function formOf({ anchor, text, text_pair }: Partial<EmbeddingData>): EmbeddingForm {
  if (anchor !== undefined) return 'pairs';
  if (text === undefined) return 'retrieval';
  return text_pair === undefined ? 'labelled' : 'scored';
}

/** The columns of further negatives. */
export function negativesOf({ negative }: Partial<EmbeddingData>): (string | number)[] {
  return negative === undefined ? [] : [negative].flat();
}

/** The loss of a section. */
export function lossOf(data: Partial<EmbeddingData>): (typeof LOSSES)[number] {
  return data.loss ?? LOSSES_OF[formOf(data)][0];
}

/** The losses that each form of rows can be learnt with, the default first. */
const LOSSES_OF: Readonly<Record<EmbeddingForm, readonly (typeof LOSSES)[number][]>> = {
  pairs: ['multiple_negatives_ranking', 'triplet'],
  retrieval: ['multiple_negatives_ranking'],
  scored: ['cosent', 'cosine'],
  labelled: ['triplet'],
};

/** What is wrong between keys that are right each for itself. */
export function embeddingProblems(data: EmbeddingData): Problem[] {
  const { anchor, positive, negative, text, text_pair, label, loss } = data;
  const problem = (key: keyof EmbeddingData, expected: string, got = shown(data[key])): Problem => ({
    path: ['data', key],
    expected,
    got,
  });
  const problems: Problem[] = [];
  const isPairs = anchor !== undefined || positive !== undefined;
  if (isPairs && text !== undefined) problems.push(problem('text', 'either anchor and positive, or text'));
  if (isPairs && anchor === undefined) problems.push(problem('anchor', 'a column, as there is a positive'));
  if (isPairs && positive === undefined)
    problems.push(problem('positive', 'a column, as there is an anchor'));
  if (!isPairs && negative !== undefined) problems.push(problem('negative', 'anchor and positive beside it'));
  if (text === undefined && (text_pair ?? label) !== undefined)
    problems.push(problem('text', 'a column, as there is a text_pair or a label'));
  if (text !== undefined && label === undefined)
    problems.push(problem('label', 'a column: how alike a pair is, or the class of a sentence'));
  const possible = LOSSES_OF[formOf(data)];
  if (loss !== undefined && !possible.includes(loss))
    problems.push(problem('loss', `${possible.join(' or ')}, which such rows can be learnt with`));
  if (loss === 'triplet' && isPairs && negativesOf(data).length !== 1)
    problems.push(problem('negative', 'one column, for the triplet loss'));
  const { matryoshka_dims: dims, matryoshka_weights: weights } = data;
  if (weights && weights.length !== dims?.length)
    problems.push(problem('matryoshka_weights', 'as many weights as there are matryoshka_dims'));
  return problems;
}

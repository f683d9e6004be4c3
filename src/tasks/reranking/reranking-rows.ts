import { z } from 'zod';
import { detectFormat } from '../../input/data/detect-format.ts';
import { jsonLines, keyName, ownValue, requireText, typeName } from '../../input/data/json-lines.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import { RowProblems } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { RANKING_LOSSES } from '../../program/objectives/reranking-model.ts';
import { brokenRules, InvalidData, type Problem, shown } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';
import { miningKey } from '../mine-negatives.ts';
import type { ReadingOf } from '../prediction.ts';
import { column, delimiterKey, layoutKeys } from '../table-columns.ts';

/** Data and loss of rerankers. Names and defaults as in sentence-transformers. */
export const rerankingDataSchema = z.strictObject({
  /** TSV, CSV or JSON Lines. */
  ...dataFileKeys,
  /** Column of the query. */
  query: column.default('query'),
  /** Column of a text that answers the query. */
  positive: column.default('positive'),
  /** Column or columns of texts that do not answer it. A row may lack some. In JSON, a column may have a list of texts. */
  negative: z.union([column, z.array(column).min(1)]).optional(),
  /** Column of a text with a label, instead of `positive`. In JSON, a row may have a list of texts and a list of their labels. */
  text: column.optional(),
  /**
   * Column of the label: how well a text answers the query, such as 0 and 1. With larger grades, the rows of a query are one
   * list. Without `text`, a list of a teacher's scores of the row's texts, or of the margins between the positive and each
   * negative.
   */
  label: column.optional(),
  ...layoutKeys,
  ...delimiterKey,
  /** Maximum number of tokens of a query and a text, special tokens included. Longer texts are truncated. Default: the model's. */
  max_length: z.int().min(1).optional(),
  /**
   * Loss. Default: multiple_negatives_ranking (positives), margin_mse (positives with labels), binary_cross_entropy (texts with
   * labels), lambda (lists of texts).
   */
  loss: z.enum(RANKING_LOSSES).optional(),
  /** Factor of probabilities in multiple_negatives_ranking. */
  scale: z.number().positive().default(10),
  /** Number of texts of other rows that multiple_negatives_ranking adds as negatives of a row, in each batch. */
  num_negatives: z.int().min(0).default(4),
  /**
   * `mine`: adds hard negatives to rows of positives, texts of other rows that the model's own vectors find similar before
   * training. Or a section with settings, such as `{num_negatives: 5, range_min: 10}`.
   */
  negatives: miningKey,
  /** Number of pairs to compute at a time. It saves memory. Default: pairs with 2,048 tokens. */
  mini_batch_size: z.int().min(1).optional(),
});

export type RerankingData = z.output<typeof rerankingDataSchema>;

/** A query and its texts. */
export interface RerankingRow {
  query: string;
  texts: readonly string[];
  /** The target of the loss for each text. */
  targets: readonly number[];
  /** How well each text answers the query. */
  grades: readonly number[];
}

/** The content of the files for a reranker. */
export interface RerankingRows {
  fileName: string;
  rows: readonly RerankingRow[];
  /** The rows of the whole file, if these are some of them. */
  whole?: readonly RerankingRow[];
}

/** The columns of hard negatives. */
function listNegatives({ negative = [] }: Partial<RerankingData>): (string | number)[] {
  return [negative].flat();
}

/** The loss of a section. Lists of texts are known only from rows: see {@link detectLoss}. */
export function chooseRankingLoss({
  text,
  label,
  loss,
}: Partial<RerankingData>): NonNullable<RerankingData['loss']> {
  if (loss) return loss;
  if (text !== undefined) return 'binary_cross_entropy';
  return label === undefined ? 'multiple_negatives_ranking' : 'margin_mse';
}

/** The loss for lists of texts, if no other is set. */
export function detectLoss(
  { rows }: RerankingRows,
  { loss, text }: ReadingOf<RerankingData>,
): Pick<RerankingData, 'loss'> {
  const hasLists = text !== undefined && rows.some(({ texts }) => texts.length > 1);
  return loss === undefined && hasLists ? { loss: 'lambda' } : {};
}

/** Finds problems in combinations of valid keys. */
export function rerankingProblems(data: RerankingData): Problem[] {
  const { positive, negative, text, label, loss, negatives } = data;
  return brokenRules('data', [
    [text !== undefined && positive !== 'positive', 'text', 'cannot be combined with positive'],
    [text !== undefined && negative !== undefined, 'negative', 'requires data.positive'],
    [
      negatives !== undefined && (text ?? label) !== undefined,
      'negatives',
      'requires data.positive without labels',
    ],
    [text !== undefined && label === undefined, 'label', 'is required: how well a text answers the query'],
    [
      loss === 'multiple_negatives_ranking' && text !== undefined,
      'loss',
      `must be another one for texts with labels, got ${shown(loss)}`,
    ],
    [
      loss === 'margin_mse' && (text !== undefined || label === undefined),
      'label',
      'is required for margin_mse, with data.positive: the scores of the texts of a row',
    ],
    [
      label !== undefined && text === undefined && loss !== undefined && loss !== 'margin_mse',
      'loss',
      `must be margin_mse for positives with labels, got ${shown(loss)}`,
    ],
  ]);
}

/**
 * Reads queries with their texts.
 *
 * @throws UserError with file and line for all problems of the rows
 */
export function rerankingRows(files: readonly TextFile[], reading: ReadingOf<RerankingData>): RerankingRows {
  return { fileName: files[0]!.name, rows: files.flatMap((file) => readOne(file, reading)) };
}

/** A row as it is written. */
interface WrittenRow {
  line: number;
  query: string;
  texts: readonly string[];
  labels: readonly string[];
}

function readOne(file: TextFile, reading: ReadingOf<RerankingData>): RerankingRow[] {
  const problems = new RowProblems(file.name);
  const content = file.read();
  const isJson = detectFormat(file.name, content) === 'jsonl';
  const single = isJson ? objectRows(content, reading, problems) : tableRows(content, file.name, reading);
  const written = joinGraded(single, reading);
  const areShares = needsShares(written, reading);
  const rows = written.map((row) => gradedRow(row, reading, problems, areShares));
  problems.throwIfAny();
  if (rows.length === 0) throw new InvalidData({ where: file.name, fault: 'is empty' });
  return rows;
}

/** Rows with grades such as 0 to 3, joined to one list for each query, because only orders of texts can learn from them. */
function joinGraded(
  rows: readonly WrittenRow[],
  { text, loss }: ReadingOf<RerankingData>,
): readonly WrittenRow[] {
  const isGraded = loss === undefined && rows.some(({ labels }) => labels.some((label) => Number(label) > 1));
  if (text === undefined || !(loss === 'lambda' || isGraded)) return rows;
  const ofQuery = new Map<string, WrittenRow[]>();
  for (const row of rows) {
    const known = ofQuery.get(row.query);
    if (known) known.push(row);
    else ofQuery.set(row.query, [row]);
  }
  return Array.from(ofQuery.values(), (all) => ({
    ...all[0]!,
    texts: all.flatMap(({ texts }) => texts),
    labels: all.flatMap(({ labels }) => labels),
  }));
}

/** Whether labels are targets of a cross-entropy. */
function needsShares(rows: readonly WrittenRow[], { text, loss }: ReadingOf<RerankingData>): boolean {
  if (text === undefined) return false;
  return loss === undefined ? rows.every(({ texts }) => texts.length === 1) : loss === 'binary_cross_entropy';
}

function tableRows(content: string, fileName: string, reading: ReadingOf<RerankingData>): WrittenRow[] {
  const { query, positive, text, label, header, quote, delimiter } = reading;
  const others = [text ?? positive, ...listNegatives(reading)];
  const options = { text: query, others, label, listed: true, header, quote, delimiter };
  return parseRows(content, fileName, options).map((row) => ({
    line: row.line,
    query: row.text,
    texts: row.others!,
    labels: [row.label ?? []].flat(),
  }));
}

function objectRows(content: string, reading: ReadingOf<RerankingData>, problems: RowProblems): WrittenRow[] {
  const { query, positive, text, label } = reading;
  const nameOf = (column: string | number) => keyName(column, problems.fileName);
  const [queryKey, firstKey, ...negativeKeys] = [query, text ?? positive, ...listNegatives(reading)].map(
    nameOf,
  );
  const labelKey = label === undefined ? undefined : nameOf(label);
  return [...jsonLines(content, problems)].map(({ line, object }) => {
    const listOf = (key: string) => {
      const value = ownValue(object, key) ?? [];
      const list = [value].flat();
      if (list.every((one) => typeof one === 'string' || typeof one === 'number')) return list.map(String);
      problems.add(line, { needs: `one value or a list of values in "${key}"`, got: typeName(value) });
      return [];
    };
    const first = text !== undefined ? listOf(firstKey!) : [requireText(object, firstKey!, line, problems)];
    return {
      line,
      query: requireText(object, queryKey!, line, problems),
      texts: [...first, ...negativeKeys.flatMap(listOf)],
      labels: labelKey === undefined ? [] : listOf(labelKey),
    };
  });
}

function gradedRow(
  { line, query, texts, labels }: WrittenRow,
  { text, label }: ReadingOf<RerankingData>,
  problems: RowProblems,
  needsShares: boolean,
): RerankingRow {
  if (query.trim() === '' || texts.length === 0 || texts.some((text) => text.trim() === ''))
    problems.add(line, { fault: 'has an empty text', hint: 'Remove such rows.' });
  const first = texts.map((_, i) => Number(i === 0));
  if (label === undefined) return { query, texts, targets: first, grades: first };
  const numbers = labels.map(Number);
  const isMargins = text === undefined && numbers.length === texts.length - 1;
  if (numbers.length !== texts.length && !isMargins)
    problems.add(line, {
      kind: 'labels',
      fault: `has ${numbers.length} numbers in column ${label} for ${texts.length} texts`,
    });
  const wrong = numbers.findIndex((number) =>
    needsShares ? !(number >= 0 && number <= 1) : !Number.isFinite(number),
  );
  if (wrong >= 0)
    problems.add(line, {
      kind: 'number',
      fault: `has the label "${labels[wrong]}", which is not a number${needsShares ? ' from 0 to 1' : ''}`,
      ...(needsShares && { hint: 'Divide grades such as 0 to 3 by the largest, or write lists of texts.' }),
    });
  if (text !== undefined) return { query, texts, targets: numbers, grades: numbers };
  // Only the differences matter.
  return {
    query,
    texts,
    targets: isMargins ? [0, ...numbers.map((margin) => -margin)] : numbers,
    grades: first,
  };
}

import { z } from 'zod';
import { detectFormat } from '../../input/data/detect-format.ts';
import {
  checkKeys,
  type JsonObject,
  jsonLines,
  keyName,
  ownValue,
  typeName,
} from '../../input/data/json-lines.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import { RowProblems } from '../../input/data/rows.ts';
import { generationConfigSchema } from '../../program/generation/generation-config.ts';
import { InvalidData } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';
import { column, layoutKeys } from '../table-columns.ts';

/** Files with pairs of texts, and how targets are generated. Names as in transformers' run_summarization.py. */
export const pairDataSchema = z.strictObject({
  /** TSV, CSV or JSON. */
  ...dataFileKeys,
  /** Column of the source text: its name or its number from 0. A JSON value may be a list of texts. */
  source: column.default('source'),
  /** Column of the target text: its name or its number from 0. A JSON value may be a list of texts. */
  target: column.default('target'),
  ...layoutKeys,
  /** Text put before each source, such as T5's `summarize: `. */
  source_prefix: z.string().default(''),
  /** Maximum number of source tokens, special tokens included. Default: 1024, or the model's limit if lower. */
  max_source_length: z.int().min(1).optional(),
  /** Maximum number of target and generated tokens, special tokens included. Default: 128, or the model's limit. */
  max_target_length: z.int().min(1).optional(),
  /** Generate and score texts in evaluations. Otherwise only the loss is computed. Hugging Face's default is false. */
  predict_with_generate: z.boolean().default(true),
  /** Generation settings, such as `num_beams`. They override the model's files. */
  generation_config: z.strictObject(generationConfigSchema.partial().shape).optional(),
});

export type PairData = z.output<typeof pairDataSchema>;

/** A source text, and its possible targets. */
export interface Pair {
  /** Line of the file, from 1. */
  line: number;
  source: string;
  /** Empty if targets are not read. */
  targets: readonly string[];
}

type PairColumns = Pick<PairData, 'source' | 'target' | 'header' | 'quote'>;

/**
 * Reads pairs from the content of a TSV, CSV or JSON Lines file. In JSON Lines, a source may be a list of sentences,
 * which are joined by spaces. A target may be a list of equally good texts.
 *
 * @param labeled whether targets are read as well
 * @throws UserError with file and line for all problems of the rows: a missing column, an empty text
 */
export function readPairs(body: string, fileName: string, columns: PairColumns, labeled: boolean): Pair[] {
  const problems = new RowProblems(fileName);
  const pairs =
    detectFormat(fileName, body) === 'jsonl'
      ? jsonPairs(body, fileName, columns, labeled, problems)
      : tablePairs(body, fileName, columns, labeled);
  if (labeled) for (const pair of pairs) checkTexts(pair, columns, problems);
  problems.throwIfAny();
  if (pairs.length === 0) throw new InvalidData({ where: fileName, fault: 'is empty' });
  return pairs;
}

function tablePairs(body: string, fileName: string, columns: PairColumns, labeled: boolean): Pair[] {
  const { source, target, header, quote } = columns;
  const options = { text: source, text_pair: labeled ? target : undefined, header, quote };
  return parseRows(body, fileName, options).map(({ line, text, textPair }) => ({
    line,
    source: text,
    targets: textPair === undefined ? [] : [textPair],
  }));
}

function jsonPairs(
  body: string,
  fileName: string,
  columns: PairColumns,
  labeled: boolean,
  problems: RowProblems,
): Pair[] {
  const keys = [columns.source, ...(labeled ? [columns.target] : [])].map((name) => keyName(name, fileName));
  const pairs: Pair[] = [];
  for (const { line, object } of jsonLines(body, problems)) {
    if (pairs.length === 0) checkKeys(object, keys, `${fileName}:${line}`);
    const [sentences, targets = []] = keys.map((key) => readTexts(object, key, line, problems));
    pairs.push({ line, source: sentences!.join(' '), targets });
  }
  return pairs;
}

/** Reads a text or a list of texts. */
function readTexts(object: JsonObject, key: string, line: number, problems: RowProblems): readonly string[] {
  const value = ownValue(object, key);
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return value;
  problems.add(line, { needs: `a text, or a list of texts, in "${key}"`, got: typeName(value) });
  return ['?'];
}

function checkTexts({ line, source, targets }: Pair, columns: PairColumns, problems: RowProblems): void {
  const isBlank = (text: string) => text.trim() === '';
  const hint = 'Remove such rows.';
  if (isBlank(source)) problems.add(line, { fault: `has an empty text in "${columns.source}"`, hint });
  if (targets.length > 0 && !targets.some(isBlank)) return;
  problems.add(line, {
    fault: `has ${targets.length === 0 ? 'an empty list' : 'an empty text'} in "${columns.target}"`,
    hint,
  });
}

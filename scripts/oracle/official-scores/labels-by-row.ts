import { detectFormat } from '../../../src/input/data/detect-format.ts';
import { jsonLines, ownValue } from '../../../src/input/data/json-lines.ts';
import { parseDelimited } from '../../../src/input/data/parse-delimited.ts';
import { ROW_IDS, RowProblems } from '../../../src/input/data/rows.ts';
import type { TextFile } from '../../../src/input/data/text-file.ts';
import { listNames } from '../../../src/support/text.ts';
import { InvalidData } from '../../../src/support/user-error.ts';

/** GLUE's names of the answer column. Files of MNLI have several columns that begin with `label`. */
const LABELS = ['gold_label', 'label', 'Quality', 'is_duplicate', 'score', 'similarity', 'prediction'];

/** A row's index in its file, from 0, and its id, if any. */
export interface RowName {
  place: number;
  id: string | undefined;
}

export interface LabeledRow extends RowName {
  line: number;
  label: string;
}

export interface NumberedLabels {
  rows: LabeledRow[];
  /** Rows that were skipped because of a wrong number of fields. */
  ragged: RowName[];
}

/**
 * Reads the answers of a TSV file or of JSON Lines.
 *
 * @param column the answer column of a table without a header
 * @param onRagged called with a warning if rows were skipped because of a wrong number of fields; without it,
 * such rows are an error
 * @throws UserError with file and line for rows without an answer
 */
export function labelsByRow(
  file: TextFile,
  column: number | undefined,
  onRagged?: (message: string) => void,
): NumberedLabels {
  const { name } = file;
  const content = file.read();
  const problems = new RowProblems(name);
  if (detectFormat(name, content) !== 'jsonl') return tableLabels(content, column, problems, onRagged);
  const rows = jsonLabels(content, problems);
  problems.throwIfAny();
  if (rows.length > 0) return { rows, ragged: [] };
  throw new InvalidData({ where: name, fault: 'is empty' });
}

function jsonLabels(content: string, problems: RowProblems): LabeledRow[] {
  return Array.from(jsonLines(content, problems), ({ line, object }, place) => {
    const find = (keys: readonly string[]) =>
      keys.map((key) => ownValue(object, key)).find((value) => value !== undefined && value !== null);
    const [id, label] = [find(ROW_IDS), find(LABELS)];
    if (label === undefined) problems.add(line, { fault: `has none of the keys ${LABELS.join(', ')}` });
    return { line, place, id: id === undefined ? undefined : String(id), label: String(label) };
  });
}

function tableLabels(
  content: string,
  column: number | undefined,
  problems: RowProblems,
  onRagged: ((message: string) => void) | undefined,
): NumberedLabels {
  const { fileName } = problems;
  const { records, lines } = parseDelimited(content, fileName, '\t', false);
  const names = records[0]?.map((name) => name.trim()) ?? [];
  const title = LABELS.find((name) => names.includes(name));
  const labelAt = title === undefined ? column : names.indexOf(title);
  if (labelAt === undefined) {
    const fault = `needs a header with one of ${LABELS.join(', ')}, but ${names.length === 0 ? 'is empty' : `begins with ${listNames(names)}`}`;
    throw new InvalidData({ where: fileName, fault });
  }
  const first = title === undefined ? 0 : 1;
  const idAt = first === 1 ? names.findIndex((name) => ROW_IDS.includes(name)) : -1;
  const labeled: NumberedLabels = { rows: [], ragged: [] };
  const ragged = new RowProblems(fileName);
  records.slice(first).forEach((record, place) => {
    const line = lines[place + first]!;
    const row = { place, id: record[idAt], line, label: record[labelAt]?.trim() ?? '' };
    if (first === 1 ? record.length !== names.length : record.length <= labelAt) {
      const needs =
        first === 1 ? `${names.length} fields, as in the header` : `at least ${labelAt + 1} fields`;
      ragged.add(line, { needs, got: `${record.length}` });
      labeled.ragged.push(row);
    } else {
      if (row.label === '') problems.add(line, { fault: `has no answer in column ${labelAt}` });
      labeled.rows.push(row);
    }
  });
  problems.throwIfAny();
  if (onRagged) ragged.tellSkipped(labeled.rows.length, onRagged);
  else ragged.throwIfAny();
  if (labeled.rows.length > 0) return labeled;
  throw new InvalidData({ where: fileName, fault: first === 1 ? 'has a header but no rows' : 'is empty' });
}

import { detectFormat } from '../../data/detect-format.ts';
import { jsonLines, own } from '../../data/json-lines.ts';
import { parseDelimited } from '../../data/parse-delimited.ts';
import { ROW_IDS } from '../../data/row.ts';
import { RowProblems } from '../../data/row-problems.ts';
import type { TextFile } from '../../data/text-file.ts';
import { listNames } from '../../support/list-names.ts';
import { UserError } from '../../support/user-error.ts';

/** What GLUE's files call the column of the answer; MNLI has several that begin with `label`. */
const LABELS = ['gold_label', 'label', 'Quality', 'is_duplicate', 'score', 'similarity', 'prediction'];

/** A row's answer, and what the file calls the row, if it does. */
export interface LabelledRow {
  line: number;
  id: string | undefined;
  label: string;
}

/**
 * The answers of a TSV file or of JSON Lines.
 *
 * @param column of the answer, where a table has no header
 * @throws UserError with file and line for rows without one
 */
export function labelsByRow(file: TextFile, column: number | undefined): LabelledRow[] {
  const { name } = file;
  const content = file.read();
  const problems = new RowProblems(name);
  const rows =
    detectFormat(name, content) === 'jsonl'
      ? jsonLabels(content, problems)
      : tableLabels(content, name, column, problems);
  problems.throwIfAny();
  if (rows.length > 0) return rows;
  throw new UserError({ where: name, expected: 'rows', got: 'an empty file' });
}

function jsonLabels(content: string, problems: RowProblems): LabelledRow[] {
  return Array.from(jsonLines(content, problems), ({ line, object }) => {
    const find = (keys: readonly string[]) =>
      keys.map((key) => own(object, key)).find((value) => value !== undefined && value !== null);
    const [id, label] = [find(ROW_IDS), find(LABELS)];
    if (label === undefined) problems.add(line, { expected: `one of ${LABELS.join(', ')}`, got: 'none' });
    return { line, id: id === undefined ? undefined : String(id), label: String(label) };
  });
}

function tableLabels(
  content: string,
  fileName: string,
  column: number | undefined,
  problems: RowProblems,
): LabelledRow[] {
  const { records, lines } = parseDelimited(content, fileName, '\t', false);
  const names = records[0]?.map((name) => name.trim()) ?? [];
  const title = LABELS.find((name) => names.includes(name));
  const named = title === undefined ? -1 : names.indexOf(title);
  const labelAt = named >= 0 ? named : column;
  if (labelAt === undefined) {
    const expected = `a header with one of ${LABELS.join(', ')}`;
    throw new UserError({ where: fileName, expected, got: listNames(names) || 'an empty file' });
  }
  const idAt = named >= 0 ? names.findIndex((name) => ROW_IDS.includes(name)) : -1;
  return records.slice(named >= 0 ? 1 : 0).map((record, i) => {
    const line = lines[i + (named >= 0 ? 1 : 0)];
    const label = record[labelAt]?.trim();
    if (!label)
      problems.add(line, {
        expected: `an answer in column ${labelAt}`,
        got: label === '' ? 'none' : `${record.length} fields`,
      });
    return { line, id: record[idAt], label: label ?? '' };
  });
}

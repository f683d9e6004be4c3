import { allOf } from '../../support/all-of.ts';
import { suggestAmong } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { type JsonObject, jsonLines, ownValue, textOf, typeName } from './json-lines.ts';
import { type DataOptions, type RawLabel, ROW_IDS, type Row } from './row.ts';
import type { RowProblems } from './row-problems.ts';

/**
 * Reads one JSON object per line; blank lines are skipped. Columns are keys. A label is a string, a number or
 * a boolean, or a list of them for multi-label tasks.
 *
 * @param problems collects invalid JSON and values of the wrong type, with their lines
 * @throws UserError for a key that the first row lacks
 */
export function parseJsonl(
  content: string,
  fileName: string,
  options: DataOptions,
  problems: RowProblems,
): Row[] {
  const textKey = keyName(options.text, fileName);
  const pairKey = options.text_pair === undefined ? undefined : keyName(options.text_pair, fileName);
  const labelKey = options.label === undefined ? undefined : keyName(options.label, fileName);
  const toLabel = options.listed ? labelList : labelName;

  const rows: Row[] = [];
  let isFirst = true;
  for (const { line, object } of jsonLines(content, problems)) {
    if (isFirst) {
      checkKeys(object, [textKey, pairKey, labelKey], `${fileName}:${line}`);
      isFirst = false;
    }
    const before = problems.count;
    const row: Row = { line, text: textOf(object, textKey, line, problems) };
    if (before > 0) row.place = rows.length + before;
    if (pairKey !== undefined) row.textPair = textOf(object, pairKey, line, problems);
    if (labelKey !== undefined) row.label = toLabel(ownValue(object, labelKey), labelKey, line, problems);
    const id = labelKey === undefined && ROW_IDS.map((name) => ownValue(object, name)).find(isId);
    if (id !== undefined && id !== false) row.id = String(id);
    if (problems.count === before) rows.push(row);
  }
  if (rows.length === 0 && problems.count === 0) throw new UserError({ where: fileName, fault: 'is empty' });
  return rows;
}

function isId(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'string';
}

/** Checks that a column of JSON Lines is a name. Throws a UserError for a number. */
export function keyName(column: string | number, fileName: string): string {
  if (typeof column === 'string') return column;
  const hint = 'Give the name of a key.';
  throw new UserError({
    where: fileName,
    fault: `has no column ${column}, because its rows have named keys`,
    hint,
  });
}

/**
 * Throws a UserError for a key that the first row lacks, because the key is probably misspelt. If only later
 * rows lack it, these rows are incomplete.
 */
export function checkKeys(object: JsonObject, keys: readonly (string | undefined)[], where: string): void {
  const check = (name: string | undefined) => {
    if (name === undefined || Object.hasOwn(object, name)) return;
    const names = Object.keys(object);
    const hint = suggestAmong(name, names, "The row's keys");
    throw new UserError({ where, fault: `has no column "${name}"`, hint });
  };
  allOf(keys.map((name) => () => check(name)));
}

function labelName(value: unknown, name: string, line: number, problems: RowProblems): string {
  const label = scalar(value);
  if (label !== undefined && label !== '') return label;
  problems.add(line, {
    kind: 'label',
    fault:
      value === '' ? `has an empty label in "${name}"` : `needs a label in "${name}", got ${typeName(value)}`,
  });
  return '';
}

function labelList(value: unknown, name: string, line: number, problems: RowProblems): RawLabel {
  const labels = Array.isArray(value) ? value.map(scalar) : [undefined];
  if (labels.every((label) => label !== undefined && label !== '')) return labels as string[];
  problems.add(line, { needs: `a list of labels in "${name}"`, got: typeName(value) });
  return [];
}

function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';
import type { DataOptions, RawLabel, Row } from './row.ts';
import { RowProblems } from './row-problems.ts';

type JsonObject = Record<string, unknown>;

/**
 * Reads one JSON object a line; blank lines are skipped. Columns are keys. Labels may be strings, numbers or booleans
 * (taken as JSON writes them), for multi-label tasks lists of these.
 *
 * @throws UserError with file and line for invalid JSON, a missing key and a value of the wrong type.
 */
export function parseJsonl(content: string, fileName: string, options: DataOptions): Row[] {
  const textKey = key(options.text, fileName);
  const pairKey = options.text_pair === undefined ? undefined : key(options.text_pair, fileName);
  const labelKey = options.label === undefined ? undefined : key(options.label, fileName);
  const toLabel = options.task === 'multi_label_classification' ? labelList : labelName;

  const problems = new RowProblems(fileName);
  const rows: Row[] = [];
  let line = 0;
  let isFirst = true;
  for (const source of content.split('\n')) {
    line++;
    if (source.trim() === '') continue;
    const object = parseObject(source, line, problems);
    if (!object) continue;
    if (isFirst) {
      checkKeys(object, [textKey, pairKey, labelKey], `${fileName}:${line}`);
      isFirst = false;
    }
    const row: Row = { line, text: text(object, textKey, line, problems) };
    if (pairKey !== undefined) row.textPair = text(object, pairKey, line, problems);
    if (labelKey !== undefined) row.label = toLabel(own(object, labelKey), labelKey, line, problems);
    rows.push(row);
  }
  problems.throwIfAny();
  if (rows.length === 0) throw new UserError({ where: fileName, expected: 'rows', got: 'an empty file' });
  return rows;
}

function key(column: string | number, fileName: string): string {
  if (typeof column === 'string') return column;
  const hint = 'Columns of JSON lines have names.';
  throw new UserError({ where: fileName, expected: 'a key', got: `column number ${column}`, hint });
}

function parseObject(source: string, line: number, problems: RowProblems): JsonObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    problems.add(line, { expected: 'a line of JSON', got: `invalid JSON (${(error as Error).message})` });
    return undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  const hint = 'Write one object a line (JSON Lines).';
  problems.add(line, { expected: 'a JSON object', got: typeName(value), hint });
  return undefined;
}

/** A key that the first row lacks is most likely misspelt; later rows without it are incomplete. */
function checkKeys(object: JsonObject, keys: (string | undefined)[], where: string): void {
  for (const name of keys) {
    if (name === undefined || Object.hasOwn(object, name)) continue;
    const names = Object.keys(object);
    const hint = `${suggest(name, names)} The row's keys: ${names.join(', ')}.`;
    throw new UserError({ where, expected: 'a column of the file', got: `"${name}"`, hint });
  }
}

function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function text(object: JsonObject, name: string, line: number, problems: RowProblems): string {
  const value = own(object, name);
  if (typeof value === 'string') return value;
  problems.add(line, { expected: `a string in "${name}"`, got: typeName(value) });
  return '';
}

function labelName(value: unknown, name: string, line: number, problems: RowProblems): string {
  const label = scalar(value);
  if (label !== undefined && label !== '') return label;
  problems.add(line, {
    expected: `a label in "${name}"`,
    got: value === '' ? 'an empty string' : typeName(value),
  });
  return '';
}

function labelList(value: unknown, name: string, line: number, problems: RowProblems): RawLabel {
  const labels = Array.isArray(value) ? value.map(scalar) : [undefined];
  if (labels.every((label) => label !== undefined && label !== '')) return labels as string[];
  problems.add(line, { expected: `a list of labels in "${name}"`, got: typeName(value) });
  return [];
}

function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

function typeName(value: unknown): string {
  if (value === undefined || value === null) return value === null ? 'null' : 'nothing';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

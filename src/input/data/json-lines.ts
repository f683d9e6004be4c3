import { suggestAmong } from '../../support/text.ts';
import { attemptAll, InvalidData, UserError } from '../../support/user-error.ts';
import { endOfString, exactJson, shallowJson } from './json.ts';
import {
  checkRowCount,
  type DataOptions,
  labelFromFlags,
  type RawLabel,
  ROW_IDS,
  type Row,
  type RowProblems,
} from './rows.ts';

export type JsonObject = Record<string, unknown>;

/** An object in a file. `line` counts from 1; its characters are those from `offset` to `end`. */
interface JsonLine {
  line: number;
  offset: number;
  end: number;
  object: JsonObject;
}

/** Maximum characters of a row. Even a book has only a few million. */
const MAX_LINE = 2 ** 24;

/**
 * The objects of a file: one per line, or the elements of a list. Blank lines are skipped. A number that a
 * double would change becomes a string: see {@link exactJson}.
 */
export function* jsonLines(content: string, problems: RowProblems): Iterable<JsonLine> {
  if (/^\s*\[/.test(content) || isWrappedList(content)) {
    yield* listedObjects(content, problems);
    return;
  }
  let line = 0;
  for (let offset = 0; offset < content.length; ) {
    const newline = content.indexOf('\n', offset);
    const end = newline < 0 ? content.length : newline;
    const source = content.slice(offset, end);
    line++;
    const object = source.trim() === '' ? undefined : parseObject(source, line, problems);
    if (object) yield { line, offset, end, object };
    checkRowCount(line, problems.fileName);
    offset = end + 1;
  }
}

/**
 * Matches an object that begins with a list of objects, also after other keys if its name says so: `{"version": 1, "data":
 * [{`. A conversation is a row of its own, and so are its tools.
 */
const WRAPPED =
  /^\s*\{\s*(("[^"\\]*"\s*:\s*("[^"\\]*"|[\w.+-]+)\s*,\s*)*"(data|rows|items|records|examples|results)"|"(?!tools")[^"\\]*")\s*:\s*\[\s*\{(?!\s*"(role|from|content|value)")/;

/** Whether a text may begin with an object that has a list of rows. */
export function beginsWrappedList(start: string): boolean {
  return WRAPPED.test(start);
}

/** Whether a file is one object with a list of rows, rather than an object on each line. */
function isWrappedList(content: string): boolean {
  if (!beginsWrappedList(content)) return false;
  const end = content.indexOf('\n', content.search(/\S/));
  const [first, rest] = end < 0 ? [content, ''] : [content.slice(0, end), content.slice(end)];
  return rest.trim() === '' || !/\}\s*$/.test(first) || !/^\s*\{/.test(rest);
}

/** The objects of a JSON list, each with the line on which it starts. */
function* listedObjects(content: string, problems: RowProblems): Iterable<JsonLine> {
  // The scan only needs the starts of strings, brackets, separators and line ends.
  const tokens = /["[\]{},\n]/g;
  let [line, depth, start, startLine, count] = [1, 0, -1, 1, 0];
  const isWrapped = /^\s*\{/.test(content);
  if (isWrapped) {
    tokens.lastIndex = content.indexOf('[');
    line += newlinesIn(content.slice(0, tokens.lastIndex));
  }
  for (let match = tokens.exec(content); match; match = tokens.exec(content)) {
    const [token] = match;
    if (token === '"') {
      const end = endOfString(content, match.index);
      if (end < 0) break;
      line += newlinesIn(content.slice(match.index, end));
      tokens.lastIndex = end + 1;
      continue;
    }
    const isEnd = depth === 1 && (token === ',' || token === ']');
    if (isEnd) {
      const source = content.slice(start, match.index);
      const object = source.trim() === '' ? undefined : parseObject(source, startLine, problems);
      if (object) yield { line: startLine, offset: start, end: match.index, object };
      checkRowCount(++count, problems.fileName);
    }
    if (token === '{' || token === '[') depth++;
    if ((token === '{' || token === '[') && depth === 2) startLine = line;
    if (token === '}' || token === ']') depth--;
    if (isEnd || (token === '[' && depth === 1)) start = match.index + 1;
    if (depth === 0) {
      const rest = content.slice(match.index + 1);
      if (isWrapped ? /^[^{[]*\}\s*$/.test(rest) : rest.trim() === '') return;
      break;
    }
    if (token === '\n') line++;
  }
  problems.add(line, {
    fault: depth > 0 ? 'ends before the JSON list is closed' : 'has text after the end of the JSON list',
  });
}

function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function parseObject(source: string, line: number, problems: RowProblems): JsonObject | undefined {
  let value: unknown;
  problems.beginRow();
  try {
    value = parseRow(source);
  } catch (error) {
    problems.add(line, { kind: 'JSON', fault: `is not valid JSON: ${(error as Error).message}` });
    return undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  const hint = 'Each row must be an object, such as {"text": "a text", "label": "a label"}.';
  problems.add(line, { kind: 'object', fault: `is not a JSON object but ${typeName(value)}`, hint });
  return undefined;
}

/**
 * Parses a row. Throws a SyntaxError for invalid JSON, and for a row that is too long, too deep or has too
 * many values. The length alone is no limit for values, because every three bytes of `[],` make a list.
 */
function parseRow(source: string): unknown {
  if (source.length > MAX_LINE) throw new SyntaxError(`${source.length} characters`);
  return shallowJson(source, exactJson);
}

/** The object's own property; inherited ones are ignored. */
export function ownValue(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function typeName(value: unknown): string {
  if (value === undefined || value === null) return value === null ? 'null' : 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** The string under a key. Reports a problem if it is missing. */
export function requireText(object: JsonObject, name: string, line: number, problems: RowProblems): string {
  const value = ownValue(object, name);
  if (typeof value === 'string') return value;
  problems.add(line, { needs: `a string in "${name}"`, got: typeName(value) });
  return '';
}

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
  const otherKeys = (options.others ?? []).map((name) => keyName(name, fileName));
  const labelKeys = [options.label ?? []].flat().map((name) => keyName(name, fileName));
  const [labelKey] = labelKeys;
  const areFlags = Array.isArray(options.label);
  const toLabel = options.listed ? labelList : labelName;

  const rows: Row[] = [];
  let isFirst = true;
  for (const { line, object } of jsonLines(content, problems)) {
    if (isFirst) {
      checkKeys(object, [textKey, pairKey, ...otherKeys, ...labelKeys], `${fileName}:${line}`);
      isFirst = false;
    }
    const before = problems.count;
    const row: Row = { line, text: requireText(object, textKey, line, problems) };
    if (before > 0) row.place = rows.length + before;
    if (pairKey !== undefined) row.textPair = requireText(object, pairKey, line, problems);
    if (otherKeys.length > 0) row.others = otherKeys.flatMap((key) => readTexts(object, key, line, problems));
    if (areFlags) {
      const values = labelKeys.map((name) => ownValue(object, name));
      row.label = labelFromFlags(labelKeys, values, options, line, problems);
    } else if (labelKey !== undefined)
      row.label = toLabel(ownValue(object, labelKey), labelKey, line, problems);
    const id = labelKey === undefined && ROW_IDS.map((name) => ownValue(object, name)).find(isId);
    if (id !== undefined && id !== false) row.id = String(id);
    if (problems.count === before) rows.push(row);
  }
  if (rows.length === 0 && problems.count === 0)
    throw new InvalidData({ where: fileName, fault: 'is empty' });
  return rows;
}

/** The texts of a key: one, a list of them, or none. */
function readTexts(object: JsonObject, key: string, line: number, problems: RowProblems): string[] {
  const value = ownValue(object, key) ?? [];
  const texts = [value].flat();
  if (texts.every((text) => typeof text === 'string')) return texts;
  problems.add(line, { needs: `a string or a list of strings in "${key}"`, got: typeName(value) });
  return [];
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
    code: 'unknown_column',
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
    throw new UserError({ where, fault: `has no column "${name}"`, hint, code: 'unknown_column' });
  };
  attemptAll(keys.map((name) => () => check(name)));
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

import { TEXT_NAME } from '../../input/data/detect-format.ts';
import type { Table } from '../../input/data/table/read-table.ts';
import { isNumber } from '../../input/data/table-layout.ts';
import { findMedium } from '../../input/media/media.ts';

/** Statistics of a column. */
export interface Column {
  name: string;
  /** Number of fields that are not empty. */
  filled: number;
  /** Number of different values, without the empty one. */
  distinct: number;
  /** Average number of characters in a field. */
  length: number;
  /** Whether most fields contain a letter. */
  hasWords: boolean;
  /** Whether all fields are numbers, and whether all are whole numbers. */
  isNumeric: boolean;
  isWhole: boolean;
  /** The smallest and the largest number of a numeric column. */
  range: readonly [number, number];
  /** Whether the fields number the rows. */
  isNumbering: boolean;
  /** Whether all fields are numbers with a decimal comma, which cannot be read. */
  hasDecimalCommas: boolean;
  /** The name of the medium of the files that all fields name. Undefined for texts. */
  files: string | undefined;
  /** The separator of the labels in a field, if some fields have several. */
  separator: string | undefined;
  /** The share of the fields with a separator. */
  several: number;
  /** Whether the fields of JSON rows are lists of values, or objects. */
  nested: 'list' | 'object' | undefined;
}

/** Labels are short. A longer field is a text. */
const MAX_LABEL_LENGTH = 50;
/** A column with more different numbers does not contain classes. */
const MAX_NUMBERED_CLASSES = 20;
const SEPARATORS = [';', '|', ','];

const ID_NAME = /(^|[\s_-])(id|ids|idx|index|nr|uuid|guid)$|[a-z]I[dD]$|^(#|unnamed: 0)$/;
/** Columns that group or locate rows. */
const GROUP_NAME =
  /^(split|fold|groups?|users?|username|author|customer|speaker|file|file_?name|path|url|link|e-?mail|lang|language)$/i;
const DATE_NAME = /date|time|datum|created|updated/i;
const SCORE_NAME = /^(score|similarity|rating|stars|relevance|relatedness|grade|points|bewertung|note)$/i;

/** The place of the column with the longest texts, or with the name of one. Undefined if no column has texts. */
export function findTexts(columns: readonly Column[]): number | undefined {
  const named = ({ name }: Column) => Number(TEXT_NAME.test(name));
  const texts = columns.filter(({ hasWords, files }) => hasWords && files === undefined);
  const [first] = texts.sort((a, b) => named(b) - named(a) || b.length - a.length);
  return first && columns.indexOf(first);
}

/** Statistics of each column of a table. */
export function describeColumns({ columns, rows, nested }: Table): Column[] {
  return columns.map((name, i) => {
    const fields = rows.map((row) => row[i]!.trim()).filter((field) => field !== '');
    const characters = fields.reduce((sum, { length }) => sum + length, 0);
    const worded = fields.filter((field) => /\p{L}/u.test(field)).length;
    const values = new Set(fields);
    const isNumeric = fields.length > 0 && fields.every(isNumber);
    const range = measureRange(isNumeric ? values : []);
    const isWhole = isNumeric && fields.every((field) => Number.isInteger(Number(field)));
    const hasDecimalCommas = fields.length > 0 && fields.every((field) => /^-?\d+,\d+$/.test(field));
    const kind = nested?.get(name);
    const mayBeSeveral = !isNumeric && !hasDecimalCommas;
    const separator =
      kind === 'list' ? SEPARATORS[0] : mayBeSeveral ? findSeparator(fields, values) : undefined;
    return {
      name,
      filled: fields.length,
      distinct: values.size,
      length: fields.length > 0 ? characters / fields.length : 0,
      hasWords: fields.length > 0 && 2 * worded >= fields.length,
      isNumeric,
      isWhole,
      range,
      isNumbering: isWhole && values.size === fields.length && range[1] - range[0] === fields.length - 1,
      hasDecimalCommas,
      files: findMedium(fields)?.name,
      separator,
      several:
        separator === undefined ? 0 : fields.filter((one) => one.includes(separator)).length / fields.length,
      nested: kind,
    };
  });
}

function measureRange(values: Iterable<string>): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, Number(value)), Math.max(high, Number(value))];
  return [low, high];
}

/** With a smaller share of fields with several labels, each of them must also occur alone. */
export const MIN_SEVERAL = 1 / 20;

/**
 * The separator of several labels in one field. The parts are short, occur in several combinations, and are not more than
 * the combinations.
 */
function findSeparator(fields: readonly string[], values: ReadonlySet<string>): string | undefined {
  return SEPARATORS.find((separator) => {
    const several = fields.filter((field) => field.includes(separator)).length;
    if (several === 0) return false;
    if (several < MIN_SEVERAL * fields.length)
      return fields.every((field) => splitLabels(field, separator).every((part) => values.has(part)));
    const combinations = new Map<string, number>();
    for (const value of values) {
      for (const part of splitLabels(value, separator)) {
        if (part.length > MAX_LABEL_LENGTH) return false;
        combinations.set(part, (combinations.get(part) ?? 0) + 1);
      }
    }
    const repeated = [...combinations.values()].filter((count) => count > 1).length;
    return (
      combinations.size <= values.size &&
      2 * repeated >= combinations.size &&
      2 * combinations.size <= fields.length
    );
  });
}

/** The labels in a field. */
export function splitLabels(field: string, separator: string): string[] {
  return field
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Whether a column has values that repeat, as labels do. */
export function repeats({ filled, distinct }: Column): boolean {
  return distinct > 1 && 2 * distinct <= filled;
}

/** Whether a column without a label's name may contain labels. */
export function mayBeLabel(column: Column): boolean {
  if (column.files || isId(column) || DATE_NAME.test(column.name) || column.nested === 'object') return false;
  return column.length <= MAX_LABEL_LENGTH && (repeats(column) || column.separator !== undefined);
}

/** Whether a column contains numbers on a scale rather than classes. */
export function isScale({ isNumeric, isWhole, distinct }: Column): boolean {
  return isNumeric && distinct > 2 && (!isWhole || distinct > MAX_NUMBERED_CLASSES);
}

/** Whether a column has the name of scores. */
export function hasScoreName({ name }: Column): boolean {
  return SCORE_NAME.test(name);
}

/** Whether a column numbers or names its rows or groups of them. */
function isId({ name, isNumbering }: Column): boolean {
  return (
    isNumbering || [name, name.toLowerCase()].some((form) => ID_NAME.test(form) || GROUP_NAME.test(form))
  );
}

/** Whether a column contains texts that may be learned from, or names of files. */
export function isText(column: Column): boolean {
  if (column.files) return column.distinct > 1;
  return column.hasWords && column.nested !== 'object' && !isId(column) && column.distinct > 1;
}

/** Whether all rows have the same list of texts, such as the candidates of every query. */
export function isSharedList({ hasWords, nested, distinct }: Column): boolean {
  return hasWords && nested === 'list' && distinct === 1;
}

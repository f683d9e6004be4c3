import { detectFormat } from './detect-format.ts';
import type { DataOptions } from './rows.ts';

/** Whether a text is a decimal number that is finite as a 32-bit float. */
export function isNumber(text: string): boolean {
  return (
    /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) && Number.isFinite(Math.fround(Number(text)))
  );
}

/**
 * Whether numbers have decimal commas, as German spreadsheets write them. With three digits behind each comma, the comma
 * may separate thousands.
 */
export function haveDecimalCommas(fields: readonly string[]): boolean {
  return fields.some((field) => /^\s*[-+]?\d+,(\d{1,2}|\d{4,})\s*$/.test(field));
}

/** Number of records that are examined, enough to know what a column contains. */
const LOOKED_AT = 1000;

/**
 * Whether the first record of a table is a header: its fields are not empty, not numbers, and do not occur in
 * later records, as labels would. A column without any content does not count, nor does an unnamed first column
 * of whole numbers, the index that pandas writes.
 */
export function looksLikeHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...others] = records.slice(0, LOOKED_AT);
  const hasContent = (column: number) => [first!, ...others].some((record) => record[column] !== '');
  // Some programs end each row with a delimiter, and spreadsheets have empty columns.
  const columns = [...first!.keys()].filter(hasContent);
  const isIndex = others.length > 0 && others.every((record) => /^\d+$/.test(record[0]!));
  const isName = (column: number) => {
    const name = first![column]!;
    return name.trim() === '' ? column === 0 && columns.length > 1 && isIndex : !isNumber(name);
  };
  if (columns.length === 0 || !columns.every(isName)) return false;
  return !columns.some((column) => others.some((record) => record[column] === first![column]));
}

export interface TableLayout {
  delimiter: string;
  /** Whether double quotes enclose fields. */
  quote: boolean;
}

/** How to read a data file as a table; undefined for JSON. */
export function tableLayout(
  content: string,
  fileName: string,
  options: Pick<DataOptions, 'format' | 'delimiter' | 'quote'>,
): TableLayout | undefined {
  const format = options.format ?? detectFormat(fileName, content);
  if (format === 'jsonl') return undefined;
  const delimiter = options.delimiter ?? (format === 'csv' ? ',' : '\t');
  return { delimiter, quote: options.quote ?? delimiter !== '\t' };
}

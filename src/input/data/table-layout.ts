import { detectFormat } from './detect-format.ts';
import type { DataOptions } from './row.ts';

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

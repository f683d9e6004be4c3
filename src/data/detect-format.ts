import { extensionOf } from './extension-of.ts';
import type { FileFormat } from './row.ts';

/**
 * The format of a file of rows by its extension: `.jsonl`, `.ndjson`, `.json` hold one JSON object a line or a list of
 * them, and parquet is read as if it did; `.tsv` and `.txt` separate by tabs, `.csv` by commas unless its first line has
 * a tab (STS-B ships such a file). `.gz` behind it changes nothing. With any other name the content decides, and plain
 * lines are a table of one column.
 */
export function detectFormat(fileName: string, content: string): FileFormat {
  switch (extensionOf(fileName)) {
    case 'jsonl':
    case 'ndjson':
    case 'json':
    case 'parquet':
      return 'jsonl';
    case 'tsv':
    case 'txt':
      return 'tsv';
    case 'csv':
      return firstLine(content).includes('\t') ? 'tsv' : 'csv';
    default:
      return /^\s*(\{|\[\s*\{)/.test(content) ? 'jsonl' : 'tsv';
  }
}

export function firstLine(content: string): string {
  const end = content.indexOf('\n');
  return end < 0 ? content : content.slice(0, end);
}

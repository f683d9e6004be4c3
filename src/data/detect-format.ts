import { extensionOf } from './extension-of.ts';
import type { FileFormat } from './row.ts';

/**
 * The format of a file of rows, from its extension: `.jsonl`, `.ndjson` and `.json` contain one JSON object per line or
 * a list of objects, and parquet is treated the same way. `.tsv` and `.txt` are separated by tabs, `.csv` by commas
 * unless its first line has a tab (STS-B has such a file). A final `.gz` is ignored. For any other name, the content
 * decides; plain lines are a table of one column.
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

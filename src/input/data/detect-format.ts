import { extensionOf } from './extension-of.ts';
import type { FileFormat } from './row.ts';

/**
 * The format of a data file. The extension decides:
 *
 * - `.jsonl`, `.ndjson`, `.json` and parquet contain JSON objects: one per line, or a list.
 * - `.tsv` and `.txt` are separated by tabs.
 * - `.csv` is separated by commas, or by tabs if its first line has a tab (as in STS-B).
 *
 * A final `.gz` is ignored. Content that begins with a JSON object or a list of objects is JSON, whatever the name. Plain
 * lines are a table of one column.
 */
export function detectFormat(fileName: string, content: string): FileFormat {
  switch (extensionOf(fileName)) {
    case 'jsonl':
    case 'ndjson':
    case 'json':
    case 'parquet':
      return 'jsonl';
    case 'csv':
      if (beginsWithObject(content)) return 'jsonl';
      return firstLine(content).includes('\t') ? 'tsv' : 'csv';
    default:
      return beginsWithObject(content) ? 'jsonl' : 'tsv';
  }
}

/** Whether a text begins with a JSON object, or with a list of objects. */
export function beginsWithObject(content: string): boolean {
  return /^\s*(\[\s*)?\{\s*["'}]/.test(content);
}

export function firstLine(content: string): string {
  const end = content.indexOf('\n');
  return end < 0 ? content : content.slice(0, end);
}

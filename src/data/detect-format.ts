import type { FileFormat } from './row.ts';

/**
 * The format of a file of rows by its extension: `.jsonl`, `.ndjson`, `.json` hold one JSON object a line, `.tsv` and
 * `.txt` separate by tabs, `.csv` by commas unless its first line has a tab (STS-B ships such a file). With any other
 * name the content decides, and plain lines are a table of one column.
 */
export function detectFormat(fileName: string, content: string): FileFormat {
  switch (/\.([^./\\]+)$/.exec(fileName)?.[1].toLowerCase()) {
    case 'jsonl':
    case 'ndjson':
    case 'json':
      return 'jsonl';
    case 'tsv':
    case 'txt':
      return 'tsv';
    case 'csv':
      return firstLine(content).includes('\t') ? 'tsv' : 'csv';
    default:
      return content.startsWith('{') ? 'jsonl' : 'tsv';
  }
}

function firstLine(content: string): string {
  const end = content.indexOf('\n');
  return end < 0 ? content : content.slice(0, end);
}

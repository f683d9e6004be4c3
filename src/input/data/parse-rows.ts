import { parseJsonl } from './json-lines.ts';
import { parseDelimited } from './parse-delimited.ts';
import { type DataOptions, type OnSkipped, type Row, RowProblems } from './rows.ts';
import { rowsFromTable } from './rows-from-table.ts';
import { type TableLayout, tableLayout } from './table-layout.ts';

/**
 * Reads rows from the content of a TSV, CSV or JSON Lines file. CRLF line ends and blank lines are
 * accepted. `fileName` determines the format (see `detectFormat`) and appears in messages.
 *
 * @param onSkipped called with the reasons and the number of skipped rows, if `on_bad_row` is `skip`
 * @throws UserError that lists all problems with file and line
 */
export function parseRows(
  body: string,
  fileName: string,
  options: DataOptions,
  onSkipped: OnSkipped = () => {},
): Row[] {
  const layout = tableLayout(body, fileName, options);
  const problems = new RowProblems(fileName);
  const rows = layout
    ? parseTable(body, fileName, layout, options, problems)
    : parseJsonl(body, fileName, options, problems);
  if (options.on_bad_row === 'skip') problems.tellSkipped(rows.length, onSkipped);
  else problems.throwIfAny();
  return rows;
}

function parseTable(
  body: string,
  fileName: string,
  { delimiter, quote }: TableLayout,
  options: DataOptions,
  problems: RowProblems,
): Row[] {
  const table = parseDelimited(body, fileName, delimiter, quote);
  return rowsFromTable(table, fileName, options, quote, problems);
}

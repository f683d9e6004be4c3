import { UserError } from '../support/user-error.ts';
import { checkRowCount } from './check-row-count.ts';

/** A million characters of words take about ten times as many bytes in memory. */
const MAX_LINE = 2 ** 20;

/** A line of a file, from 1, without its line end. */
export interface FileLine {
  line: number;
  text: string;
}

/**
 * The lines of a text with one word or text per line; CRLF also ends a line.
 *
 * @throws UserError for too many lines, and for a line that is too long
 */
export function* fileLines(content: string, fileName: string): Iterable<FileLine> {
  let line = 0;
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf('\n', start);
    const next = newline < 0 ? content.length : newline;
    const end = content[next - 1] === '\r' && next > start ? next - 1 : next;
    checkRowCount(++line, fileName);
    if (end - start > MAX_LINE) {
      const where = `${fileName}:${line}`;
      throw new UserError({ where, fault: `has a line of more than ${MAX_LINE} characters` });
    }
    yield { line, text: content.slice(start, end) };
    start = next + 1;
  }
}

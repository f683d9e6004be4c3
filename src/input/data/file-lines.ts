import { InvalidData } from '../../support/user-error.ts';
import { checkRowCount } from './rows.ts';

/** A line of a million characters takes about ten times as many bytes when it is split into words. */
const MAX_LINE = 2 ** 20;

/** A line without its line end; `line` is its number, from 1. */
export interface FileLine {
  line: number;
  text: string;
}

/**
 * Splits a text into lines, which end with LF or CRLF. Each line is a word or a text.
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
      throw new InvalidData({ where, fault: `has a line of more than ${MAX_LINE} characters` });
    }
    yield { line, text: content.slice(start, end) };
    start = next + 1;
  }
}

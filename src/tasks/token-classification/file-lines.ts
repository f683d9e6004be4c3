/** A line of a file, from 1, without its line end. */
export interface FileLine {
  line: number;
  text: string;
}

/** The lines of a text; CRLF ends one as well. */
export function* fileLines(content: string): Iterable<FileLine> {
  let line = 0;
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf('\n', start);
    const next = newline < 0 ? content.length : newline;
    const end = content[next - 1] === '\r' && next > start ? next - 1 : next;
    yield { line: ++line, text: content.slice(start, end) };
    start = next + 1;
  }
}

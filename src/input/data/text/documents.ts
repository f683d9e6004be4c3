/** The units of text that can become a document, named as in Hugging Face's text datasets. */
export const SAMPLE_BY = ['document', 'paragraph', 'line'] as const;
export type SampleBy = (typeof SAMPLE_BY)[number];

export interface Document {
  /** The line of the file on which it starts, from 1. */
  line: number;
  /** Number of characters before the document. */
  offset: number;
  text: string;
}

/**
 * Splits a text into documents: the whole text, its paragraphs (separated by blank lines) or its lines. Blank
 * documents are dropped. Line ends become LF.
 *
 * @param line the line of the file on which the text begins
 */
export function* splitDocuments(text: string, sampleBy: SampleBy, line = 1): Iterable<Document> {
  const body = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  const separator = SEPARATORS[sampleBy];
  let start = 0;
  while (start < body.length) {
    separator.lastIndex = start;
    const match = separator.exec(body);
    const end = match ? match.index : body.length;
    const part = body.slice(start, end);
    if (part.trim() !== '') yield { line, offset: start, text: part };
    const next = match ? end + match[0].length : body.length;
    line += countLines(body, start, next);
    start = next;
  }
}

/** Separators between documents. The pattern for whole documents never matches. */
const SEPARATORS: Readonly<Record<SampleBy, RegExp>> = {
  document: /(?!)/g,
  paragraph: /\n(?:[^\S\n]*\n)+/g,
  line: /\n/g,
};

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

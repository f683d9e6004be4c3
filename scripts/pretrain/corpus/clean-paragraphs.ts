/** Matches remains of tables, templates and links in pages that were converted to text. */
const MARKUP = /\{\||\|\||\{\{|\}\}|\[\[|<\/?\w|&lt;|https?:\/\//;
/** Minimum length of a paragraph. Headings, credits and list items are shorter. */
const MIN_CHARACTERS = 25;
const MIN_LETTERS = 0.6;
/** Maximum share of non-Latin letters in an English text. */
const MAX_FOREIGN = 0.02;

/** Keeps only paragraphs of prose. Joins their lines and collapses white space. */
export function cleanParagraphs(paragraphs: readonly string[]): string[] {
  return paragraphs
    .map((paragraph) =>
      paragraph
        .replace(/_(\w[^_]*)_/g, '$1')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter(isProse);
}

function isProse(paragraph: string): boolean {
  if (paragraph.length < MIN_CHARACTERS || MARKUP.test(paragraph)) return false;
  const letters = paragraph.match(/[A-Za-z ]/g)?.length ?? 0;
  const foreign = paragraph.match(/[^\P{L}\p{Script=Latin}]/gu)?.length ?? 0;
  return (
    letters >= MIN_LETTERS * paragraph.length &&
    foreign <= MAX_FOREIGN * paragraph.length &&
    /[a-z]{2}/.test(paragraph)
  );
}

/** What is left of tables, templates and links where a page was turned into text. */
const MARKUP = /\{\||\|\||\{\{|\}\}|\[\[|<\/?\w|&lt;|https?:\/\//;
/** Headings, credits and list items are shorter. */
const LEAST_CHARACTERS = 25;
const LEAST_LETTERS = 0.6;
/** Letters beyond Latin ones that a text in English may have. */
const MOST_FOREIGN = 0.02;

/** Paragraphs of prose: lines joined, white space made one, all else left out. */
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
  if (paragraph.length < LEAST_CHARACTERS || MARKUP.test(paragraph)) return false;
  const letters = paragraph.match(/[A-Za-z ]/g)?.length ?? 0;
  const foreign = paragraph.match(/[^\P{L}\p{Script=Latin}]/gu)?.length ?? 0;
  return (
    letters >= LEAST_LETTERS * paragraph.length &&
    foreign <= MOST_FOREIGN * paragraph.length &&
    /[a-z]{2}/.test(paragraph)
  );
}

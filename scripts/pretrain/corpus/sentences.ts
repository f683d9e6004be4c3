/** Matches abbreviations that do not end a sentence. */
const ABBREVIATION =
  /\b(?:Mr|Mrs|Ms|Dr|St|Prof|Gen|Col|Capt|Lt|Sgt|Sen|Rep|Gov|Rev|Hon|Messrs|Mt|No|vs|Jr|Sr|[A-Z])\.$/;

/** Splits a paragraph into sentences. A sentence ends only before a capital, a digit or a quotation mark. */
export function sentences(paragraph: string): string[] {
  const result: string[] = [];
  let start = 0;
  for (const { index, 0: end } of paragraph.matchAll(/[.!?]['"”’)\]]*\s+(?=['"“‘(]*[A-Z0-9])/g)) {
    const cut = index + end.length;
    const sentence = paragraph.slice(start, cut).trim();
    if (ABBREVIATION.test(sentence)) continue;
    result.push(sentence);
    start = cut;
  }
  const last = paragraph.slice(start).trim();
  return last === '' ? result : [...result, last];
}

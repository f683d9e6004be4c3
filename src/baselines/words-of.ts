/**
 * The words of a text as scikit-learn's TfidfVectorizer finds them: two or more letters, digits or underscores, in lower
 * case.
 */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
}

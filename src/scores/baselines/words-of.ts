/**
 * The words of a text as in scikit-learn's TfidfVectorizer: two or more letters, digits or underscores, in lowercase.
 */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
}

import { bertNormalizer, bertPreTokenizer } from 'tokenizers';

/** Counts words. Texts are split like in BERT's lowercasing tokenizer. */
export function countWords(texts: Iterable<string>): Map<string, number> {
  const normalizer = bertNormalizer({
    cleanText: true,
    handleChineseChars: true,
    lowercase: true,
    stripAccents: true,
  });
  const words = bertPreTokenizer();
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of words.preTokenizeString(normalizer.normalizeString(text))) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

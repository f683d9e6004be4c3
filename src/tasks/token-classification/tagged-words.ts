import { entities } from '../../scores/metrics/seqeval.ts';

/** A named entity: consecutive words of a sentence. */
export interface NamedEntity {
  type: string;
  /** The entity's words are [start, end). */
  start: number;
  end: number;
  /** The entity's words, joined by spaces. */
  text: string;
  /** Mean probability of the words' tags. */
  score: number;
}

/** A model's result for the words of a sentence. */
export interface TaggedWords {
  words: readonly string[];
  /** One per word. Null for words that the model did not see, because they have no pieces or were truncated. */
  tags: (string | null)[];
  /** For each word, the probability of its tag. */
  scores: (number | null)[];
  entities: NamedEntity[];
}

/**
 * The most likely tag of each word, and the entities that the tags mark. Words that the model did not see are skipped.
 * As in scoring, they do not split an entity.
 *
 * @param seen indices of the words with logits, ascending
 * @param logits [seen, labels], row-major
 */
export function taggedWords(
  words: readonly string[],
  seen: Int32Array,
  logits: Float32Array,
  labels: readonly string[],
): TaggedWords {
  const tags = words.map((): string | null => null);
  const scores = words.map((): number | null => null);
  seen.forEach((word, row) => {
    const { id, probability } = likeliest(logits.subarray(row * labels.length, (row + 1) * labels.length));
    tags[word] = labels[id]!;
    scores[word] = probability;
  });
  const marked = entities(Array.from(seen, (word) => tags[word]!));
  return {
    words,
    tags,
    scores,
    entities: marked.map(({ type, ...place }) => {
      const [start, end] = [seen[place.start]!, seen[place.end - 1]! + 1];
      const inside = scores.slice(start, end).filter((score) => score !== null);
      const score = inside.reduce((sum, one) => sum + one, 0) / inside.length;
      return { type, start, end, text: words.slice(start, end).join(' '), score };
    }),
  };
}

/** The index of the largest logit (the first of equal ones), and its softmax. */
function likeliest(logits: Float32Array): { id: number; probability: number } {
  let id = 0;
  for (let other = 1; other < logits.length; other++) if (logits[other]! > logits[id]!) id = other;
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - logits[id]!), 0);
  return { id, probability: 1 / sum };
}

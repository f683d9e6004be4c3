import { entities } from '../../metrics/entities.ts';

/** Words of a sentence that name one thing. */
export interface NamedEntity {
  type: string;
  /** The entity consists of the words [start, end). */
  start: number;
  end: number;
  /** The words of the entity, joined by spaces. */
  text: string;
  /** Mean probability of their tags. */
  score: number;
}

/** A model's result for the words of a sentence. */
export interface TaggedWords {
  words: readonly string[];
  /** [words]; null for words that the model did not see, because they have no pieces or were truncated. */
  tags: (string | null)[];
  /** [words]; the probability of the tag. */
  scores: (number | null)[];
  entities: NamedEntity[];
}

/**
 * The most likely tag of each word, and the entities that the tags mark. Words that the model did not see are
 * skipped: they do not split an entity, as in scoring.
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
    tags[word] = labels[id];
    scores[word] = probability;
  });
  const marked = entities(Array.from(seen, (word) => tags[word]!));
  return {
    words,
    tags,
    scores,
    entities: marked.map(({ type, ...place }) => {
      const [start, end] = [seen[place.start], seen[place.end - 1] + 1];
      const inside = scores.slice(start, end).filter((score) => score !== null);
      const score = inside.reduce((sum, one) => sum + one, 0) / inside.length;
      return { type, start, end, text: words.slice(start, end).join(' '), score };
    }),
  };
}

/** The index of the largest logit, the first of equal ones, and its softmax. */
function likeliest(logits: Float32Array): { id: number; probability: number } {
  let id = 0;
  for (let other = 1; other < logits.length; other++) if (logits[other] > logits[id]) id = other;
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - logits[id]), 0);
  return { id, probability: 1 / sum };
}

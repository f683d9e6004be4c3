/** Adjacent words that form one named entity. */
interface Entity {
  type: string;
  /** The entity's words are [start, end). */
  start: number;
  end: number;
}

/** A tag's first character and its entity type. */
interface Tag {
  prefix: string;
  type: string;
}

const OUTSIDE = 'O';
const NO_TYPE = '_';

/**
 * The entities that tags mark, equal to seqeval 1.2.2 in its default mode, which follows the CoNLL script. It
 * accepts all schemes with `B-`, `I-`, `E-` and `S-` before a type and `O` outside entities (IOB1, IOB2,
 * IOBES). A tag that does not continue the previous entity begins a new one, even if the scheme forbids it.
 * Tags of another form are split after their first character.
 *
 * @param tags non-empty tags
 */
export function entities(tags: readonly string[]): Entity[] {
  const complete: Entity[] = [];
  let start = 0;
  let before: Tag = { prefix: OUTSIDE, type: '' };
  for (let at = 0; at <= tags.length; at++) {
    const tag = parse(at < tags.length ? tags[at]! : OUTSIDE);
    if (ends(before, tag)) complete.push({ type: before.type, start, end: at });
    if (starts(before, tag)) start = at;
    before = tag;
  }
  return complete;
}

function parse(tag: string): Tag {
  const prefix = String.fromCodePoint(tag.codePointAt(0)!);
  const rest = tag.slice(prefix.length);
  return { prefix, type: rest.slice(rest.indexOf('-') + 1) || NO_TYPE };
}

/** Whether an entity ends between two adjacent tags. */
function ends(before: Tag, { prefix, type }: Tag): boolean {
  if (before.prefix === 'E' || before.prefix === 'S') return true;
  if ((before.prefix === 'B' || before.prefix === 'I') && 'BSO'.includes(prefix)) return true;
  return isPart(before) && before.type !== type;
}

/** Whether an entity starts at `tag`, which follows `before`. */
function starts(before: Tag, tag: Tag): boolean {
  if (tag.prefix === 'B' || tag.prefix === 'S') return true;
  if ((tag.prefix === 'I' || tag.prefix === 'E') && 'ESO'.includes(before.prefix)) return true;
  return isPart(tag) && before.type !== tag.type;
}

/** Whether a tag is inside an entity. The CoNLL script treats a full stop like `O`. */
function isPart({ prefix }: Tag): boolean {
  return prefix !== OUTSIDE && prefix !== '.';
}

/** Scores of entities. An entity is right if its type and all its words are right. */
export interface EntityScores {
  /** Share of the predicted entities that are right; 0 without predicted entities. */
  precision: number;
  /** Share of the true entities that were found; 0 without true entities. */
  recall: number;
  f1: number;
  /** Number of true entities. */
  support: number;
}

export interface SeqevalScores extends EntityScores {
  /** Share of words with the right tag; NaN without words (seqeval fails in this case). */
  accuracy: number;
  /** Scores of each entity type that occurs in references or predictions. */
  types: ReadonlyMap<string, EntityScores>;
}

interface Counts {
  correct: number;
  predicted: number;
  actual: number;
}

/**
 * Scores predicted tags of sentences, over all entities (micro average) and for each type. Equal to the
 * Python package seqeval 1.2.2 in its default mode with `zero_division=0`.
 *
 * @param predictions the predicted tags of each sentence
 * @param references the true tags; the numbers of sentences and tags must be the same
 */
export function seqeval(
  predictions: readonly (readonly string[])[],
  references: readonly (readonly string[])[],
): SeqevalScores {
  const [predicted, actual] = [joinSentences(predictions), joinSentences(references)];
  const counts = countByType(predicted, actual);
  const names = [...counts.keys()].sort();
  const total: Counts = { correct: 0, predicted: 0, actual: 0 };
  for (const count of counts.values()) {
    total.correct += count.correct;
    total.predicted += count.predicted;
    total.actual += count.actual;
  }
  return {
    ...scores(total),
    accuracy: computeAccuracy(predictions, references),
    types: new Map(names.map((name) => [name, scores(counts.get(name)!)])),
  };
}

/** Concatenates sentences, with a tag `O` between them. */
function joinSentences(sentences: readonly (readonly string[])[]): string[] {
  return sentences.flatMap((tags) => [...tags, 'O']);
}

function countByType(predicted: readonly string[], actual: readonly string[]): Map<string, Counts> {
  const [predictedPlaces, actualPlaces] = [placesByType(predicted), placesByType(actual)];
  const counts = new Map<string, Counts>();
  for (const type of new Set([...actualPlaces.keys(), ...predictedPlaces.keys()])) {
    const [ours, theirs] = [predictedPlaces.get(type) ?? NONE, actualPlaces.get(type) ?? NONE];
    let correct = 0;
    for (const place of ours) if (theirs.has(place)) correct++;
    counts.set(type, { correct, predicted: ours.size, actual: theirs.size });
  }
  return counts;
}

const NONE: ReadonlySet<number> = new Set();

/**
 * The positions of entities, by type. A position is one number, so two entities of a type at the same
 * position count once.
 */
function placesByType(tags: readonly string[]): Map<string, Set<number>> {
  const places = new Map<string, Set<number>>();
  for (const { type, start, end } of entities(tags)) {
    const known = places.get(type) ?? new Set();
    places.set(type, known.add(start * (tags.length + 1) + end));
  }
  return places;
}

function scores({ correct, predicted, actual }: Counts): EntityScores {
  const precision = predicted === 0 ? 0 : correct / predicted;
  const recall = actual === 0 ? 0 : correct / actual;
  const f1 = correct === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1, support: actual };
}

function computeAccuracy(
  predictions: readonly (readonly string[])[],
  references: readonly (readonly string[])[],
): number {
  let correct = 0;
  let words = 0;
  if (predictions.length !== references.length) throw unlike(predictions.length, references.length);
  references.forEach((tags, sentence) => {
    const predicted = predictions[sentence]!;
    if (predicted.length !== tags.length) throw unlike(predicted.length, tags.length);
    words += tags.length;
    tags.forEach((tag, word) => {
      if (predicted[word] === tag) correct++;
    });
  });
  return correct / words;
}

function unlike(predicted: number, actual: number): Error {
  return new Error(`seqeval: ${predicted} predictions for ${actual} references`);
}

import { largest, smallest } from '../support/numbers.ts';
import { Random } from '../support/random.ts';
import { UserError } from '../support/user-error.ts';
import { type ExampleSet, someExamples } from './example-set.ts';

/** The conditions that end a mixture, as in `interleave_datasets` of Hugging Face's datasets. */
export const STOPPING_STRATEGIES = ['first_exhausted', 'all_exhausted'] as const;
export type StoppingStrategy = (typeof STOPPING_STRATEGIES)[number];

/** How the examples of several sources are mixed. */
export interface Mixing {
  /** The probability of each source. They sum to 1. */
  probabilities: readonly number[];
  /**
   * `first_exhausted`: the mixture ends when one source has no more examples. `all_exhausted`: it ends when every
   * source has been drawn completely.
   */
  strategy: StoppingStrategy;
}

/**
 * The maximum number of examples in a mixture, a few times the largest file. Without it, a small probability could
 * repeat other sources without limit.
 */
const MAX_MIXED = 10_000_000;

/** The drawn examples. Each has a source, and an index in that source. */
export interface Drawn {
  sources: readonly number[];
  indices: readonly number[];
}

/** The expected number of examples in a mixture. */
export function mixedCount(counts: readonly number[], { probabilities, strategy }: Mixing): number {
  const ends = counts.map((count, i) => count / probabilities[i]!);
  return Math.round(strategy === 'first_exhausted' ? smallest(ends) : largest(ends));
}

/**
 * Draws a mixture as `interleave_datasets` does: each example is the next one of a random source. A source is read in a
 * random order. If the mixture needs more of it, it is read again in another order. The result depends only on the
 * seed.
 *
 * @param counts number of examples of each source, at least one
 * @throws UserError for a mixture of too many examples
 */
export function drawMixture(counts: readonly number[], mixing: Mixing, seed: number): Drawn {
  const expected = mixedCount(counts, mixing);
  if (!(expected <= MAX_MIXED)) {
    const fault = `give an epoch of about ${expected} examples, more than ${MAX_MIXED}`;
    throw new UserError({ key: 'data.probabilities', fault, hint: 'Raise the smallest of them.' });
  }
  const { probabilities, strategy } = mixing;
  const random = new Random(seed, 'mixture');
  const orderOf = (source: number, pass: number) =>
    new Random(seed, `mixture ${source}`, pass).permutation(counts[source]!);
  const readers = counts.map((count, source) => ({ count, pass: 0, at: 0, order: orderOf(source, 0) }));
  const exhausted = new Set<number>();
  const isOver = () => exhausted.size >= (strategy === 'first_exhausted' ? 1 : counts.length);
  const drawn = { sources: [] as number[], indices: [] as number[] };
  while (!isOver()) {
    const source = sourceAt(random.uniform(), probabilities);
    const reader = readers[source]!;
    if (reader.at === reader.count) {
      reader.order = orderOf(source, ++reader.pass);
      reader.at = 0;
    }
    drawn.sources.push(source);
    drawn.indices.push(reader.order[reader.at++]!);
    if (reader.at === reader.count) exhausted.add(source);
  }
  return drawn;
}

function sourceAt(share: number, probabilities: readonly number[]): number {
  let end = 0;
  const source = probabilities.findIndex((probability) => {
    end += probability;
    return share < end;
  });
  // Rounding may leave the sum of the probabilities below 1.
  return source < 0 ? probabilities.length - 1 : source;
}

/**
 * Mixes the examples of several sources.
 *
 * @param set the examples of all sources
 * @param sources their names, and their numbers of rows in `set`
 * @throws UserError for a source without examples, and for a mixture of too many examples
 */
export function mixedSet(
  set: ExampleSet,
  sources: readonly { name: string; rows: number }[],
  mixing: Mixing,
  seed: number,
): ExampleSet {
  const members = listMembers(set, sources);
  const empty = members.findIndex(({ length }) => length === 0);
  if (empty >= 0) throw new UserError({ where: sources[empty]!.name, fault: 'has no examples to train on' });
  const drawn = drawMixture(
    members.map(({ length }) => length),
    mixing,
    seed,
  );
  const chosen = Int32Array.from(drawn.sources, (source, i) => members[source]![drawn.indices[i]!]!);
  return {
    ...someExamples(set, chosen),
    rows: set.rows,
    sources: sources.map(({ name }, i) => ({
      name,
      examples: members[i]!.length,
      drawn: drawn.sources.filter((source) => source === i).length,
    })),
  };
}

/** The indices of each source's examples. */
function listMembers({ lengths, rows }: ExampleSet, sources: readonly { rows: number }[]): number[][] {
  const ends = sources.map((_, i) => sources.slice(0, i + 1).reduce((sum, source) => sum + source.rows, 0));
  const members = sources.map((): number[] => []);
  for (const example of lengths.keys()) {
    const row = rows ? rows[example]! : example;
    members[ends.findIndex((end) => row < end)]!.push(example);
  }
  return members;
}

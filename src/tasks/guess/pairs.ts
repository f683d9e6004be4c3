import type { Table } from '../../input/data/table/read-table.ts';
import { largest, smallest } from '../../support/numbers.ts';
import type { Column } from './columns.ts';

/**
 * The relation of a row's two texts: texts that are compared, a question and its answer, a text and what is written for it, or
 * unknown.
 */
export type PairKind = 'compared' | 'answered' | 'written' | 'unknown';

const NAMED: readonly (readonly [first: RegExp, second: RegExp, kind: PairKind])[] = [
  [/^(premise|text|sentence)$/i, /^(hypothesis|text_?pair)$/i, 'compared'],
  [/^(question|query|anchor|frage)s?$/i, /^(answer|positive|passage|sentence|antwort)s?$/i, 'answered'],
  [
    /^(source|article|document|dialogue|input|prompt|instruction)s?$/i,
    /^(target|summary|highlights|output|translation|completion|response)s?$/i,
    'written',
  ],
];

/** Texts that are compared are at most this many times longer than each other. */
const MAX_RATIO = 2.5;
/** Fields of a row that are compared share this many times more words than fields of different rows. STS-B has 2.3. */
const MIN_RELATION = 2;
const MIN_OVERLAP = 0.1;
/** Number of rows that are examined. */
const LOOKED_AT = 500;

/** The kind of two texts by the names of their columns. */
export function pairKind(a: Column, b: Column): PairKind {
  if (sameStem(a.name, b.name)) return 'compared';
  return NAMED.find(([first, second]) => first.test(a.name) && second.test(b.name))?.[2] ?? 'unknown';
}

/**
 * Finds two texts that belong together: by their names, else if they are the only ones, else by shared words.
 *
 * @param texts indices of the columns of texts
 * @param fixed the first and the second text, if the user names them
 */
export function findPair(
  table: Table,
  columns: readonly Column[],
  texts: readonly number[],
  [first, second]: readonly (number | undefined)[],
): { at: { text: number; text_pair: number }; kind: PairKind; isNamed: boolean } | undefined {
  const firsts = first === undefined ? texts : [first];
  const seconds = second === undefined ? texts : [second];
  const all = firsts.flatMap((text) =>
    seconds.flatMap((text_pair) => (text === text_pair ? [] : [{ text, text_pair }])),
  );
  const isHeadless = table.hasHeader === false;
  for (const at of all) {
    const kind = isHeadless ? 'unknown' : pairKind(columns[at.text]!, columns[at.text_pair]!);
    if (kind !== 'unknown') return { at, kind, isNamed: true };
  }
  const isFixed = second !== undefined;
  for (const at of all.filter(({ text, text_pair }) => text < text_pair || isFixed)) {
    if (isFixed) return { at, kind: 'compared', isNamed: true };
    const lengths = [columns[at.text]!.length, columns[at.text_pair]!.length];
    const isAlike = largest(lengths) <= MAX_RATIO * smallest(lengths);
    if (isAlike && areRelated(table, at.text, at.text_pair)) return { at, kind: 'compared', isNamed: false };
  }
  const [a, b, more] = texts;
  if (a === undefined || b === undefined || more !== undefined) return undefined;
  return { at: { text: Math.min(a, b), text_pair: Math.max(a, b) }, kind: 'unknown', isNamed: false };
}

/** Whether names differ only in a final 1 and 2, or a and b: `sentence1` and `sentence2`. */
function sameStem(a: string, b: string): boolean {
  const [, stem, end] = /^(.*?[a-z].*?)[\s_-]?([1a])$/i.exec(a) ?? [];
  const [, other, next] = /^(.*?[a-z].*?)[\s_-]?([2b])$/i.exec(b) ?? [];
  if (stem === undefined || other === undefined) return false;
  return stem.toLowerCase() === other.toLowerCase() && (end === '1') === (next === '2');
}

/** Whether two fields of a row share more words than fields of different rows. */
function areRelated({ rows }: Table, a: number, b: number): boolean {
  const words = (field: string) => new Set(field.toLowerCase().match(/\p{L}+/gu) ?? []);
  const looked = rows.slice(0, LOOKED_AT).map((row) => [words(row[a]!), words(row[b]!)] as const);
  // Neighbors may have the same topic.
  const half = Math.ceil(looked.length / 2);
  let [same, other] = [0, 0];
  looked.forEach(([first, second], i) => {
    same += overlap(first, second) / looked.length;
    other += overlap(first, looked[(i + half) % looked.length]![1]) / looked.length;
  });
  return same >= MIN_OVERLAP && same >= MIN_RELATION * other;
}

/** The share of words that two texts have in common. */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((word) => b.has(word)).length;
  const all = a.size + b.size - common;
  return all === 0 ? 0 : common / all;
}

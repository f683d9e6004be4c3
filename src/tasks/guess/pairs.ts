import type { Table } from '../../input/data/table/read-table.ts';
import { type Column, mayBeLabel } from './columns.ts';

/**
 * The relation of a row's two texts: texts that are compared, a question and its answer, a text and what is written for it, or
 * unknown.
 */
export type PairKind = 'compared' | 'answered' | 'written' | 'unknown';

/** Two columns that belong together. */
export interface TextPair {
  at: { text: number; text_pair: number };
  kind: PairKind;
  /** Whether the user or the columns' names say so. */
  isNamed: boolean;
}

const NAMED: readonly (readonly [first: RegExp, second: RegExp, kind: PairKind])[] = [
  [/^(premise|text|sentence)$/i, /^(hypothesis|text_?pair)$/i, 'compared'],
  [/^(question|query|anchor|frage)s?$/i, /^(answer|positive|passage|sentence|antwort)s?$/i, 'answered'],
  [/^(query|search|search_?term)$/i, /^(document|doc|text|body|content|product|title)s?$/i, 'answered'],
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
/** Number of rows, and of the best columns of texts, whose words are compared. */
const LOOKED_AT = { rows: 500, columns: 4 };

/**
 * Finds pairs of texts: those that names show, else the first two that share words, else the only two.
 *
 * @param texts columns of texts, the best first
 * @param fixed the columns that the user names
 */
export function findPairs(
  table: Table,
  columns: readonly Column[],
  texts: readonly number[],
  fixed: { text?: number | undefined; text_pair?: number | undefined },
): TextPair[] {
  const firsts = fixed.text === undefined ? texts : [fixed.text];
  const seconds = fixed.text_pair === undefined ? texts : [fixed.text_pair];
  const named = firsts.flatMap((text) =>
    seconds.flatMap((text_pair): TextPair[] => {
      const [a, b] = [columns[text]!, columns[text_pair]!];
      const found = table.hasHeader === false ? 'unknown' : pairKind(a.name, b.name);
      const kind = found === 'unknown' && fixed.text_pair !== undefined ? 'compared' : found;
      return text === text_pair || kind === 'unknown'
        ? []
        : [{ at: { text, text_pair }, kind, isNamed: true }];
    }),
  );
  if (named.length > 0) return named;
  const inOrder = (a: number, b: number) => ({ text: Math.min(a, b), text_pair: Math.max(a, b) });
  const looked = texts.slice(0, LOOKED_AT.columns);
  for (const [k, a] of looked.entries())
    for (const b of looked.slice(k + 1))
      if (areRelated(table, columns, a, b)) return [{ at: inOrder(a, b), kind: 'compared', isNamed: false }];
  const [a, b, more] = texts.filter((i) => !mayBeLabel(columns[i]!));
  if (a === undefined || b === undefined || more !== undefined) return [];
  return [{ at: inOrder(a, b), kind: 'unknown', isNamed: false }];
}

function pairKind(a: string, b: string): PairKind {
  const [, stem, end] = /^(.*?[a-z].*?)[\s_-]?([1a])$/i.exec(a) ?? [];
  const [, other, next] = /^(.*?[a-z].*?)[\s_-]?([2b])$/i.exec(b) ?? [];
  // Names such as `sentence1` and `sentence2`, or `sentence_A` and `sentence_B`.
  const isSameStem = stem !== undefined && stem.toLowerCase() === other?.toLowerCase();
  if (isSameStem && (end === '1') === (next === '2')) return 'compared';
  return NAMED.find(([first, second]) => first.test(a) && second.test(b))?.[2] ?? 'unknown';
}

/** Whether two fields of a row have similar lengths, and share more words than fields of different rows. */
function areRelated({ rows }: Table, columns: readonly Column[], a: number, b: number): boolean {
  const ratio = columns[a]!.length / columns[b]!.length;
  if (ratio > MAX_RATIO || 1 / ratio > MAX_RATIO) return false;
  const words = (field: string) => new Set(field.toLowerCase().match(/\p{L}+/gu) ?? []);
  const looked = rows.slice(0, LOOKED_AT.rows).map((row) => [words(row[a]!), words(row[b]!)] as const);
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

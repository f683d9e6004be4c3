import type { Table } from '../../input/data/table/read-table.ts';
import { type Column, isSharedList, mayBeLabel } from './columns.ts';

/**
 * The relation of a row's two texts: texts that are compared, a question and its answer, a text and what is written for it, or
 * unknown.
 */
export type PairKind = 'compared' | 'answered' | 'written' | 'unknown';

/** Two columns that belong together. */
export interface TextPair {
  at: { text: number; text_pair: number };
  kind: PairKind;
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

/**
 * Finds pairs of texts: those that names show, else the only two and queries with a list that all rows share.
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
  const pairsWith = (seconds: readonly number[]) =>
    firsts.flatMap((text) =>
      seconds.flatMap((text_pair): TextPair[] => {
        const [a, b] = [columns[text]!, columns[text_pair]!];
        const found = table.hasHeader === false ? 'unknown' : pairKind(a.name, b.name);
        const kind = found === 'unknown' && fixed.text_pair !== undefined ? 'compared' : found;
        return text === text_pair || kind === 'unknown' ? [] : [{ at: { text, text_pair }, kind }];
      }),
    );
  const named = pairsWith(fixed.text_pair === undefined ? texts : [fixed.text_pair]);
  if (named.length > 0) return named;
  const lists = columns.flatMap((column, i) => (isSharedList(column) ? [i] : []));
  const candidates = pairsWith(lists).filter(({ kind }) => kind === 'answered');
  const inOrder = (a: number, b: number) => ({ text: Math.min(a, b), text_pair: Math.max(a, b) });
  const [a, b, more] = texts.filter((i) => !mayBeLabel(columns[i]!));
  if (a === undefined || b === undefined || more !== undefined) return candidates;
  return [...candidates, { at: inOrder(a, b), kind: 'unknown' }];
}

function pairKind(a: string, b: string): PairKind {
  const [, stem, end] = /^(.*?[a-z].*?)[\s_-]?([1a])$/i.exec(a) ?? [];
  const [, other, next] = /^(.*?[a-z].*?)[\s_-]?([2b])$/i.exec(b) ?? [];
  // Names such as `sentence1` and `sentence2`, or `sentence_A` and `sentence_B`.
  const isSameStem = stem !== undefined && stem.toLowerCase() === other?.toLowerCase();
  if (isSameStem && (end === '1') === (next === '2')) return 'compared';
  return NAMED.find(([first, second]) => first.test(a) && second.test(b))?.[2] ?? 'unknown';
}

import type { Column } from '../../src/data/table/describe-columns.ts';
import { guessColumns } from '../../src/data/table/guess-columns.ts';
import type { Wish } from '../worker/goal.ts';

const QUESTION_NAME = /^(question|query|anchor|frage)s?$/i;
const ANSWER_NAME = /^(answer|positive|passage|antwort)s?$/i;

/**
 * Guesses what a table is for. Questions and answers have such names, or are columns of words that do not repeat as
 * labels do. The user may choose otherwise.
 */
export function guessWish(columns: readonly Column[], rows: number): Wish {
  const named = (name: RegExp) => columns.findIndex((column) => name.test(column.name));
  const [question, answer] = [named(QUESTION_NAME), named(ANSWER_NAME)];
  if (question >= 0 && answer >= 0) return { goal: 'search', at: [question, answer] };
  const { text, label } = guessColumns(columns, rows);
  const worded = columns.flatMap(({ hasWords }, i) => (hasWords ? [i] : []));
  if (2 * columns[label]!.distinct <= rows || worded.length < 2) return { goal: 'labels', at: [text, label] };
  const [a, b] = worded.sort((a, b) => columns[b]!.length - columns[a]!.length) as [number, number];
  const [first, second] = [Math.min(a, b), Math.max(a, b)];
  return { goal: 'search', at: second === question ? [second, first] : [first, second] };
}

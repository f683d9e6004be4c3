import { averaged } from '../../metrics/scores.ts';
import type { ToBeat, Verdict } from '../../run/verdict.ts';

/** A sentence such as `accuracy 0.925 (0.89 to 0.95) on 76 rows; a bag of words 0.93, always "returns" 0.22`. */
export function verdictSentence({ score, average, value, interval, rows, groups, to_beat }: Verdict): string {
  const sure = interval ? ` (${two(interval[0])} to ${two(interval[1])})` : '';
  const different = groups === undefined ? '' : ` (${groups} different)`;
  const on = rows === undefined ? '' : ` on ${rows} ${rows === 1 ? 'row' : 'rows'}${different}`;
  const others = toBeatWords(to_beat);
  return `${averaged(score, average)} ${three(value)}${sure}${on}${others === '' ? '' : `; ${others}`}`;
}

/** A text such as `a bag of words 0.93, always "returns" 0.22`. It omits baselines without the score. */
export function toBeatWords(toBeat: readonly ToBeat[]): string {
  return toBeat
    .filter(({ value }) => Number.isFinite(value))
    .map(({ name, value }) => `${name} ${three(value)}`)
    .join(', ');
}

function three(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : 'undefined';
}

/** Formats a bound of an interval. Bounds are less precise than the value. */
function two(value: number): string {
  return value.toFixed(2);
}

import { classReport, macroScores } from '../../scores/metrics/classes.ts';
import { averaged } from '../../scores/metrics/scores.ts';
import { addUp, largest } from '../../support/numbers.ts';
import type { FinishEvent } from '../../training/run/events.ts';
import type { ToBeat, Verdict } from '../../training/run/verdict.ts';
import { counted, countedNoun } from './format.ts';

/** The warnings of a verdict and their remedies, one or two sentences each. */
export function findingSentences({
  learnt,
  kept = 'constant',
  findings,
}: Pick<Verdict, 'learnt' | 'kept' | 'findings'>): string[] {
  const isUseless = !learnt && kept === 'constant';
  return findings.map(
    ({ message, remedy }, i) =>
      `${isUseless && i === 0 ? 'The model has not learned anything useful. ' : ''}${message} ${remedy}`,
  );
}

/** With a class that has more than this share of the rows, accuracy and that class's scores say little. */
const MOST_ROWS = 0.9;

/** The scores of the rare classes and their mean, if one class has most of the rows. They come before all others. */
export function rareClassSentence(confusion: FinishEvent['confusion']): string | undefined {
  if (!confusion) return undefined;
  const sizes = confusion.counts.map((row) => addUp(row));
  const [total, most] = [addUp(sizes), largest(sizes)];
  if (!(most > MOST_ROWS * total)) return undefined;
  const rare = classReport(confusion.counts).flatMap(({ f1, recall, support }, id) =>
    sizes[id] === most || support === 0
      ? []
      : `"${confusion.labels[id]}" F1 ${three(f1)}, found ${counted(Math.round(recall * support))} of ${counted(support)}`,
  );
  const common = confusion.labels[sizes.indexOf(most)];
  return `${Math.round((100 * most) / total)} % of the rows are "${common}", so look at the others first: ${rare.join('; ')}; macro F1 ${three(macroScores(confusion.counts).f1)}.`;
}

/** With fewer rows, an interval of a share is wider than 0.4. */
const FEW_ROWS = 20;

/** The model that a score is of, if it is not the fine-tuned one. */
const KEPT = {
  tuned: '',
  probe: ' by a linear probe, with the encoder unchanged',
  start: ' by the model before training',
  constant: ' by the same answer for every row',
};

/**
 * A sentence such as `accuracy 0.925 (0.89 to 0.95) on 76 rows, cross-validated; a bag of words 0.93, always "returns"
 * 0.22`.
 */
export function verdictSentence(verdict: Verdict): string {
  const { score, average, value, interval, rows, groups, candidates, folds, kept = 'tuned' } = verdict;
  const others = describeBaselines(verdict.to_beat);
  return [
    hasFewRows(verdict) && 'too few rows to tell: ',
    `${averaged(score, average)} ${three(value)}`,
    interval && ` (${rangeWords(interval)})`,
    KEPT[kept],
    rows !== undefined && ` on ${countedNoun(rows, 'row')}`,
    rows !== undefined && groups !== undefined && ` (${groups} different)`,
    candidates !== undefined && ` among ${countedNoun(candidates, 'text')}`,
    folds !== undefined && ', cross-validated',
    others !== '' && `; ${others}`,
  ]
    .filter(Boolean)
    .join('');
}

/**
 * The rest of a verdict, for a page that has printed the score: `95 % interval 0.89 to 0.95; a bag of words 0.93`. Empty
 * if there is nothing more.
 */
export function verdictNote(verdict: Verdict): string {
  const { interval, candidates, kept = 'tuned', to_beat } = verdict;
  return [
    hasFewRows(verdict) && 'too few rows to tell',
    interval && `95 % interval ${rangeWords(interval)}`,
    candidates !== undefined && `among ${countedNoun(candidates, 'text')}`,
    KEPT[kept] && `predicted${KEPT[kept]}`,
    describeBaselines(to_beat),
  ]
    .filter(Boolean)
    .join('; ');
}

/** A text such as `a bag of words 0.93, always "returns" 0.22`. It omits baselines without the score. */
export function describeBaselines(toBeat: readonly ToBeat[]): string {
  return toBeat
    .filter(({ value }) => Number.isFinite(value))
    .map(({ name, value }) => `${name} ${three(value)}`)
    .join(', ');
}

function hasFewRows({ groups, rows = FEW_ROWS }: Verdict): boolean {
  return (groups ?? rows) < FEW_ROWS;
}

function rangeWords([low, high]: readonly [number, number]): string {
  return `${two(low)} to ${two(high)}`;
}

function three(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : 'undefined';
}

/** Formats a bound of an interval. Bounds are less precise than the value. */
function two(value: number): string {
  return value.toFixed(2);
}

import type { RunRecord } from '../../report/run/run-record.ts';
import { settingsText, valueText } from '../settings.ts';
import type { CellOutcome, RowResult } from './results.ts';

/** Remarks on a task's table: what makes a row's result less reliable than it seems. */
export function remarksOn(
  outcomes: readonly CellOutcome[],
  rows: readonly RowResult[],
  score: string,
): string[] {
  return outcomes.flatMap((outcome, i) => [
    ...unfinished(outcome, rows[i]!),
    ...diverged(outcome, rows[i]!, score),
    ...atMajority(outcome, rows[i]!),
    ...failedChoices(outcome),
    ...noneLearned(outcome),
    ...atEdge(outcome),
  ]);
}

function unfinished({ cell, of, failures }: CellOutcome, { runs }: RowResult): string[] {
  const failed = failures.map(({ name, message }) => `${name} failed: ${message.trim().split('\n', 1)[0]}`);
  if (runs.length === of) return failed;
  return [`${cell.row}: ${runs.length} of ${of} runs are finished.`, ...failed];
}

function diverged({ cell, records }: CellOutcome, { runs }: RowResult, score: string): string[] {
  const lost = runs.filter(({ scores }) => !Number.isFinite(scores[score])).map(({ seed }) => seed);
  const skipped = records.filter((record) => skippedSteps(record) > 0).map(({ facts }) => facts.seed);
  return [
    ...(lost.length > 0 ? [`${cell.row}: diverged with ${seeds(lost)} and has no score there.`] : []),
    ...(skipped.length > 0
      ? [`${cell.row}: skipped steps with a gradient that is not finite (${seeds(skipped)}).`]
      : []),
  ];
}

function skippedSteps({ steps }: RunRecord): number {
  return steps.at(-1)?.skipped_steps ?? 0;
}

function atMajority({ cell }: CellOutcome, { runs }: RowResult): string[] {
  const same = runs.filter(({ oneClass }) => oneClass).map(({ seed }) => seed);
  return same.length === 0 ? [] : [`${cell.row}: predicts one class for every example (${seeds(same)}).`];
}

function failedChoices({ cell, tried }: CellOutcome): string[] {
  return tried
    .filter(({ failed }) => failed)
    .map(({ choice }) => `${cell.row}: failed or diverged with ${settingsText(choice)} during tuning.`);
}

/** Remarks on a grid in which no choice learned anything. The choice among them says nothing about the row. */
function noneLearned({ cell, tried }: CellOutcome): string[] {
  const scored = tried.filter(({ score }) => score !== undefined);
  if (scored.length === 0 || !scored.every(({ learnedNothing }) => learnedNothing)) return [];
  return [
    `${cell.row}: no choice of its grid learned anything: each scores 0 or predicts one class for every example. Add other values of training.learning_rate to the grid, or train for more steps.`,
  ];
}

/** Remarks on a choice at the edge of its grid. A better value may lie beyond it. */
function atEdge({ cell, choice }: CellOutcome): string[] {
  if (!choice || cell.grid.length < 2) return [];
  return Object.entries(choice).flatMap(([key, value]) => {
    const values = [...new Set(cell.grid.map((one) => one[key]))];
    if (values.length < 2 || !values.every((one): one is number => typeof one === 'number')) return [];
    const edge =
      value === Math.min(...values) ? 'smallest' : value === Math.max(...values) ? 'largest' : undefined;
    return edge
      ? [
          `${cell.row}: the best ${key}, ${valueText(value)}, is the ${edge} of its grid. A value beyond it may be better.`,
        ]
      : [];
  });
}

function seeds(list: readonly number[]): string {
  return `${list.length === 1 ? 'seed' : 'seeds'} ${list.join(', ')}`;
}

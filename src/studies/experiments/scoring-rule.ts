import type { EventOf } from '../../training/run/events.ts';
import {
  finalConfusion,
  finalScores,
  type RunRecord,
  readConfusion,
  readScores,
} from '../report/run/run-record.ts';

/** Which evaluation of a run counts. All rows of a task follow the same rule. */
export interface ScoringRule {
  metric: string;
  greaterIsBetter: boolean;
  /**
   * Whether the best evaluation counts. Otherwise, the last one counts.
   */
  best: boolean;
  /** Only evaluations from this step on count. At this step, the last row of the task fixed its ranks. */
  from: number;
}

/** Determines the rule for a task's rows, from their config and the records of their runs. */
export function scoringRule(
  training: { metric_for_best_model: string; greater_is_better: boolean; load_best_model_at_end?: boolean },
  records: readonly RunRecord[],
): ScoringRule {
  return {
    metric: training.metric_for_best_model,
    greaterIsBetter: training.greater_is_better,
    best: training.load_best_model_at_end ?? false,
    from: lastFinal(records),
  };
}

/** The scores of a run that count, and the confusion matrix of the same evaluation. */
export interface Scored {
  scores: Map<string, number>;
  confusion?: EventOf<'confusion'>;
}

/**
 * The part of a run that counts by the rule:
 *
 * - If the run itself fixed its ranks at step `from`: the scores of the model that it kept.
 * - If another row fixed its ranks later: the best evaluation from step `from` on.
 * - If the run ended before step `from`: its last evaluation.
 */
export function scoredBy(record: RunRecord, { metric, greaterIsBetter, best, from }: ScoringRule): Scored {
  const isOwn = lastFinal([record]) === from && `eval_${metric}` in (record.finish?.metrics ?? {});
  if (!best || isOwn) return { scores: finalScores(record), confusion: finalConfusion(record) };
  const counted = record.evaluations.filter(({ step }) => step >= from);
  if (counted.length === 0) return scoredAt(record, record.evaluations.at(-1));
  const sign = greaterIsBetter ? 1 : -1;
  const value = (evaluation: (typeof counted)[number]) =>
    sign * (readScores(evaluation).get(metric) ?? Number.NaN);
  const chosen = counted.reduce((sofar, next) =>
    value(next) > value(sofar) || Number.isNaN(value(sofar)) ? next : sofar,
  );
  return scoredAt(record, chosen);
}

/** The scores that count if it is this evaluation of a run. Undefined without one. */
export function scoredAt(record: RunRecord, evaluation: EventOf<'evaluation'> | undefined): Scored {
  if (!evaluation) return { scores: new Map() };
  return { scores: readScores(evaluation), confusion: readConfusion(record, evaluation) };
}

/** The last step at which one of the runs fixed its ranks; 0 if all ranks are fixed from the start. */
function lastFinal(records: readonly RunRecord[]): number {
  const finals = records.flatMap(({ allocations }) => allocations.filter(({ final }) => final));
  return finals.reduce((most, { step }) => Math.max(most, step), 0);
}

/** Describes the rule in a sentence. */
export function ruleText({ metric, best, from }: ScoringRule): string {
  if (!best) return 'Scores are from the last evaluation.';
  const when = from > 0 ? ` from step ${from} on, when every row has fixed its ranks` : '';
  return `Scores are from the best evaluation by ${metric}${when}.`;
}

/** Whether a model predicts one class for every example. It has learned nothing, whatever its accuracy. */
export function predictsOneClass(confusion: EventOf<'confusion'> | undefined): boolean {
  const predicted = confusion?.labels.filter((_, j) => confusion.counts.some((row) => row[j]! > 0));
  return predicted?.length === 1;
}

/** The result of trying one choice. */
export interface Tried {
  /** The main score; NaN if the run failed or diverged */
  score: number;
  loss: number;
  /** Whether the model scores 0 or predicts one class for every example. */
  learnedNothing?: boolean;
}

/**
 * Indices of the `count` best choices, the best first. Choices are ordered by score, then by loss, then by
 * position.
 */
export function pickBest(
  tried: ReadonlyMap<number, Tried>,
  greaterIsBetter: boolean,
  count: number,
): number[] {
  const sign = greaterIsBetter ? 1 : -1;
  const value = (number: number) => (Number.isFinite(number) ? number : -Infinity);
  const order = [...tried.entries()].sort(
    ([i, a], [j, b]) =>
      compare(value(sign * b.score), value(sign * a.score)) ||
      compare(value(-b.loss), value(-a.loss)) ||
      i - j,
  );
  return order.slice(0, count).map(([index]) => index);
}

/** A plain difference would be NaN for two equal infinities. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

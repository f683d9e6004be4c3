import { finalScores, type RunRecord, scoresOf } from '../report/run/run-record.ts';

/** Which evaluation of a run counts: one rule for all rows of a task. */
export interface ScoringRule {
  metric: string;
  greaterIsBetter: boolean;
  /**
   * Whether the best evaluation counts, or a later one that the run kept instead of it; otherwise the last one counts.
   */
  best: boolean;
  /** Evaluations count from this step on: the step at which the last row of the task fixed its ranks. */
  from: number;
}

/** The rule from the configs of a task's rows, and the steps at which their runs fixed their ranks. */
export function scoringRule(
  training: { metric_for_best_model: string; greater_is_better: boolean; load_best_model_at_end?: boolean },
  records: readonly RunRecord[],
): ScoringRule {
  return {
    metric: training.metric_for_best_model,
    greaterIsBetter: training.greater_is_better,
    // A run that leaves this open chooses it itself: true, because the run has evaluations.
    best: training.load_best_model_at_end ?? true,
    from: lastFinal(records),
  };
}

/**
 * The scores of a run by the rule. If the run fixed its ranks at `from`, these are the scores of the model that it
 * kept. If another row fixed its ranks later, they are the scores of the best evaluation from that step on, or of a
 * later one that the run kept instead. If the run ended before `from`, they are the scores of its last evaluation.
 */
export function scoresBy(
  record: RunRecord,
  { metric, greaterIsBetter, best, from }: ScoringRule,
): Map<string, number> {
  const final = finalScores(record);
  const isOwn = lastFinal([record]) === from && `eval_${metric}` in (record.finish?.metrics ?? {});
  if (!best || isOwn) return final;
  const counted = record.evaluations.filter(({ step }) => step >= from);
  if (counted.length === 0) return finalScores({ ...record, finish: undefined });
  const sign = greaterIsBetter ? 1 : -1;
  const value = (evaluation: (typeof counted)[number]) =>
    sign * (scoresOf(evaluation).get(metric) ?? Number.NaN);
  const chosen = counted.reduce((sofar, next) =>
    value(next) > value(sofar) || Number.isNaN(value(sofar)) ? next : sofar,
  );
  return scoresOf(counted.findLast(({ step, kept }) => kept && step > chosen.step) ?? chosen);
}

/** The last step at which a run fixed its ranks; 0 if none did. */
function lastFinal(records: readonly RunRecord[]): number {
  const finals = records.flatMap(({ allocations }) => allocations.filter(({ final }) => final));
  return finals.reduce((most, { step }) => Math.max(most, step), 0);
}

/** The rule in a sentence. */
export function ruleText({ metric, best, from }: ScoringRule): string {
  if (!best) return 'Scores are from the last evaluation.';
  const when = from > 0 ? ` from step ${from} on, when every row has fixed its ranks` : '';
  return `Scores are from the best evaluation by ${metric}${when}.`;
}

import { addUp } from '../../../support/numbers.ts';
import { cellMethod, type Experiment } from '../experiment.ts';
import { pickBest } from '../scoring-rule.ts';
import { type Config, merged, settingsText } from '../settings.ts';
import type { RowResult, TaskResult } from './results.ts';

/** The best row of a method. */
export interface BestRow {
  row: RowResult;
  /** The name of its config and of its folder: `best`, or `best-METHOD` if there are several methods. */
  name: string;
  /** The config that trains it on all training rows. */
  config: Config;
  /** A sentence about the choice. */
  text: string;
}

/**
 * The best row of each method on a task. Methods need different settings, so a single best one would favor one method.
 * Rows with all of their runs are preferred, because a mean of few seeds can be high by chance. Equal scores are
 * ordered by loss.
 */
export function bestRows(
  { task, rows, rule }: Pick<TaskResult, 'task' | 'rows' | 'rule'>,
  experiment: Pick<Experiment, 'cells' | 'seeds' | 'tuning'>,
): BestRow[] {
  const { metric, greaterIsBetter } = rule;
  const scored = rows.filter(({ scores }) => !Number.isNaN(scores[metric]?.mean ?? Number.NaN));
  const cells = new Map(
    experiment.cells.filter((cell) => cell.task === task).map((cell) => [cell.row, cell]),
  );
  const ownMethod = ({ row }: RowResult) => cellMethod(cells.get(row)!);
  const methods = [...new Set(scored.map(ownMethod))];
  const planned = cells.size * experiment.seeds.length;
  const missing = planned - addUp(rows, ({ runs }) => runs.length);
  const sofar = missing > 0 ? ` so far (${missing} of ${planned} runs are not finished)` : '';
  const by = experiment.tuning.heldOut > 0 ? 'held-out training rows' : 'data.validation';
  return methods.map((method) => {
    const own = scored.filter((row) => ownMethod(row) === method);
    const whole = own.filter(({ runs, of }) => runs.length === of);
    const candidates = whole.length > 0 ? whole : own;
    const tried = candidates.map(({ scores }) => ({
      score: scores[metric]!.mean,
      loss: scores.loss?.mean ?? 0,
    }));
    const row = candidates[pickBest(new Map(tried.entries()), greaterIsBetter, 1)[0]!]!;
    const isTied = own.some(
      (other) => other !== row && other.scores[metric]!.mean === row.scores[metric]!.mean,
    );
    const whose = methods.length > 1 ? ` ${method}` : '';
    const tie = isTied ? ', of equal scores the lowest loss' : '';
    const settings = settingsText({ ...row.settings, ...row.choice }) || 'its one combination';
    const cell = cells.get(row.row)!;
    return {
      row,
      config: merged(cell.whole ?? cell.config, row.choice ?? {}),
      name: methods.length > 1 ? `best-${method}` : 'best',
      text: `Best${whose} by ${metric} on ${by}${tie}${sofar}: ${settings}`,
    };
  });
}

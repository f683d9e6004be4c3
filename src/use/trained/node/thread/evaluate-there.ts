import { isRows, type Rows, rowsText } from '../../../../input/data/rows.ts';
import type { Scores } from '../../../../program/example-set.ts';
import { assertOwnMetrics, computeOwn } from '../../../../scores/metrics/own-metrics.ts';
import type { CallOptions } from '../../../../support/calls/caller.ts';
import { assertOptions } from '../../../../support/options.ts';
import { shown, UserError } from '../../../../support/user-error.ts';
import { EVALUATE_OPTIONS, type EvaluateParams } from '../../model-options.ts';
import type { ScoreRequest, ScoreTold } from './model-job.ts';

type Call = (method: string, args: readonly unknown[], options?: CallOptions<ScoreTold>) => Promise<unknown>;

/**
 * Evaluates in another thread. Calls the caller's functions in this thread. The first error of a function is thrown.
 */
export async function evaluateThere(call: Call, params: EvaluateParams<string | Rows>): Promise<Scores> {
  const { data, metrics = {}, reading, onNotice, onConfusion, signal } = Object(params) as typeof params;
  const given = dataOf(data, params);
  assertOptions('evaluate', params, EVALUATE_OPTIONS);
  const names = Object.keys(assertOwnMetrics(metrics));
  const request: ScoreRequest = { data: given, reading, own: names };
  let mistake: { error: unknown } | undefined;
  const handle = async (told: ScoreTold) => {
    if ('notice' in told) return onNotice?.(told.notice);
    if ('confusion' in told) return onConfusion?.(told.confusion);
    const scores = await computeOwn(metrics, ...told.answers).catch((error) => {
      mistake ??= { error };
    });
    await call('scored', [told.question, scores]);
  };
  const onUpdate = (told: ScoreTold) =>
    void handle(told).catch((error) => {
      mistake ??= { error };
    });
  try {
    const scores = (await call('evaluate', [request], { signal, onUpdate })) as Scores;
    if (!mistake) return scores;
  } catch (error) {
    if (!mistake) throw error;
  }
  throw mistake.error;
}

function dataOf(data: unknown, params: unknown): ScoreRequest['data'] {
  if (typeof data === 'string') return { path: data };
  if (isRows(data)) return { rows: rowsText(data, 'evaluate') };
  throw new UserError({
    where: 'evaluate',
    fault: `needs an object { data }, with the path of a file or with rows, got ${shown(data === undefined ? params : { data })}`,
  });
}

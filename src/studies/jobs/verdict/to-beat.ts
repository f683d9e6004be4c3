import type { Baseline } from '../../../scores/baselines/baseline.ts';
import { type ScoreName, scoreDefinition } from '../../../scores/metrics/scores.ts';
import { chiefScore } from '../../../tasks/chief-score.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';
import type { ToBeat } from '../../../training/run/verdict.ts';

export const PROBE = 'a linear probe';

/**
 * For each baseline, its value of the score that judges a run, the best first. Without this score, it is omitted.
 *
 * @param probe the score of the linear probe, if there is one
 */
export function toBeat(
  config: Pick<RunConfig, 'data' | 'training'>,
  baselines: readonly Baseline[],
  probe?: number,
): ToBeat[] {
  const { score } = chiefScore(config);
  const all = baselines.flatMap(({ name, isBlind, scores }) => {
    const value = scores[score as ScoreName];
    return value === undefined ? [] : [{ name, value, is_blind: isBlind }];
  });
  if (probe !== undefined) all.push({ name: PROBE, value: probe, is_blind: false });
  const sign = scoreDefinition(score)?.lessIsBetter ? -1 : 1;
  const rank = ({ value }: ToBeat) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : sign * value);
  return all.sort((a, b) => rank(b) - rank(a));
}

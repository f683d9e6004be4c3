import type { Baseline } from '../../baselines/baseline.ts';
import type { ScoreName } from '../../metrics/scores.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import type { ToBeat } from '../../run/verdict.ts';
import { chiefScore } from '../../tasks/chief-score.ts';

/** For each baseline, its value of the score that selects the best model. Without this score, it is omitted. */
export function toBeat({
  config,
  baselines,
}: {
  config: Pick<RunConfig, 'data' | 'training'>;
  baselines(): readonly Baseline[];
}): ToBeat[] {
  const { score } = chiefScore(config);
  return baselines().flatMap(({ name, isBlind, scores }) => {
    const value = scores[score as ScoreName];
    return value === undefined ? [] : [{ name, value, is_blind: isBlind }];
  });
}

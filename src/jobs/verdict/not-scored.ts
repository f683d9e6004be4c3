import type { Chosen } from '../../run/config/defaults/choose-defaults.ts';

/** Why the policy chose not to evaluate, and what to do, as the end of a sentence; empty if it made no such choice. */
export function notScored(chosen: readonly Chosen[]): string[] {
  return chosen
    .filter(({ key, value }) => key === 'training.eval_strategy' && value === 'no')
    .map(
      ({ reason }) =>
        `, because ${reason}. Set data.validation to a file of labelled rows, or label more rows.`,
    );
}

import type { Chosen } from '../../run/config/defaults/choose-defaults.ts';

/**
 * Explains why no evaluation was chosen by default, and what to do, as the end of a sentence. Empty if
 * evaluation was not turned off by default.
 */
export function notScored(chosen: readonly Chosen[]): string[] {
  return chosen
    .filter(({ key, value }) => key === 'training.eval_strategy' && value === 'no')
    .map(
      ({ reason }) =>
        `, because ${reason}. Set data.validation to a file of labelled rows, or label more rows.`,
    );
}

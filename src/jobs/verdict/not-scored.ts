import type { Chosen } from '../../run/config/defaults/choose-defaults.ts';

/**
 * Explains why evaluation was turned off by default, and what to do, as the end of a sentence. Empty if it was not turned off.
 */
export function notScored(chosen: readonly Chosen[]): string[] {
  return chosen
    .filter(({ key, value }) => key === 'training.eval_strategy' && value === 'no')
    .filter(() => !chosen.some(({ key }) => key === 'data.validation'))
    .map(
      ({ reason }) =>
        `, because ${reason}. Set data.validation to a file of labelled rows, or label more rows.`,
    );
}

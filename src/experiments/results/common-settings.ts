import type { RunFacts } from '../../report/run/run-facts.ts';
import { shownValuesOf } from '../../report/run/settings-of.ts';
import type { Settings } from '../settings.ts';

/** The settings with equal values in all runs, by dotted keys, without local paths. */
export function commonSettings(facts: readonly RunFacts[]): Settings {
  const [first = [], ...others] = facts.map(shownValuesOf);
  const maps = others.map((values) => new Map(values));
  return Object.fromEntries(
    first.filter(([key, value]) =>
      maps.every((map) => JSON.stringify(map.get(key)) === JSON.stringify(value)),
    ),
  );
}

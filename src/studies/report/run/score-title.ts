import { averaged } from '../../../scores/metrics/scores.ts';
import { type RunGroup, scoreTitle } from './group-runs.ts';

/** The display name of a score. It contains the average over classes if all runs use the same. */
export function scoreTitleIn(groups: readonly RunGroup[], name: string): string {
  const title = scoreTitle(name);
  const titles = groups.flatMap(({ runs }) =>
    runs.map(({ start }) => averaged(title, start?.averages?.[name])),
  );
  return titles.every((other) => other === titles[0]) ? (titles[0] ?? title) : title;
}

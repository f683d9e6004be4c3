import { scorePrefixes, type ValidationFiles } from './data-files.ts';

/**
 * The score that decides which model of a run is best.
 *
 * @returns its name without `eval_` and without its set's, and the place of that set among those to validate on
 */
export function chiefScore({
  data,
  training,
}: {
  data: { validation?: ValidationFiles };
  training: { metric_for_best_model: string };
}): { score: string; set: number } {
  const name = training.metric_for_best_model;
  const prefixes = scorePrefixes(data.validation);
  const set = prefixes.findIndex((prefix) => name.startsWith(prefix));
  return set < 0 ? { score: name, set: 0 } : { score: name.slice(prefixes[set].length), set };
}

import { scorePrefixes, type ValidationFiles } from './data-files.ts';

/**
 * The score that selects the best model of a run.
 *
 * @returns the score's name without `eval_` and without the set's name, and the index of its validation set
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
  return set < 0 ? { score: name, set: 0 } : { score: name.slice(prefixes[set]!.length), set };
}

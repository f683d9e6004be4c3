/** The name, direction and range of a score. */
export interface ScoreDefinition {
  /** Display name. */
  title: string;
  /** The score's name on the Hub; undefined if model cards do not show it. */
  hub?: { type: string; name: string };
  /** Whether lower is better. */
  lessIsBetter?: boolean;
  /** Whether it is a share of 1, or a correlation. Tables print it in percent, as papers do. */
  isShare?: boolean;
}

/** All scores of evaluations, by name without `eval_`. */
export const SCORES = {
  accuracy: { title: 'Accuracy', hub: { type: 'accuracy', name: 'Accuracy' }, isShare: true },
  accuracy_norm: { title: 'Accuracy, likelihoods by byte', isShare: true },
  valid_json: { title: 'Valid JSON', isShare: true },
  exact_match: { title: 'Exact match', hub: { type: 'exact_match', name: 'Exact match' }, isShare: true },
  f1: { title: 'F1', hub: { type: 'f1', name: 'F1' }, isShare: true },
  matthews_correlation: {
    title: 'Matthews correlation',
    hub: { type: 'matthews_correlation', name: 'Matthews correlation' },
    isShare: true,
  },
  pearson: {
    title: 'Pearson correlation',
    hub: { type: 'pearsonr', name: 'Pearson correlation' },
    isShare: true,
  },
  spearmanr: {
    title: 'Spearman correlation',
    hub: { type: 'spearmanr', name: 'Spearman correlation' },
    isShare: true,
  },
  mse: {
    title: 'Mean squared error',
    hub: { type: 'mse', name: 'Mean squared error' },
    lessIsBetter: true,
  },
  mae: {
    title: 'Mean absolute error',
    hub: { type: 'mae', name: 'Mean absolute error' },
    lessIsBetter: true,
  },
  r2: { title: 'R²', hub: { type: 'r_squared', name: 'R²' }, isShare: true },
  combined_score: { title: 'Combined score', isShare: true },
  expected_calibration_error: { title: 'Expected calibration error', lessIsBetter: true, isShare: true },
  precision: { title: 'Precision', hub: { type: 'precision', name: 'Precision' }, isShare: true },
  recall: { title: 'Recall', hub: { type: 'recall', name: 'Recall' }, isShare: true },
  rouge1: { title: 'ROUGE-1', hub: { type: 'rouge', name: 'ROUGE-1' }, isShare: true },
  rouge2: { title: 'ROUGE-2', hub: { type: 'rouge', name: 'ROUGE-2' }, isShare: true },
  rougeL: { title: 'ROUGE-L', hub: { type: 'rouge', name: 'ROUGE-L' }, isShare: true },
  rougeLsum: { title: 'ROUGE-Lsum', hub: { type: 'rouge', name: 'ROUGE-Lsum' }, isShare: true },
  bleu: { title: 'BLEU', hub: { type: 'bleu', name: 'BLEU' } },
  wer: {
    title: 'Word error',
    hub: { type: 'wer', name: 'Word error rate' },
    lessIsBetter: true,
    isShare: true,
  },
  wer_normalized: { title: 'Word error, normalized', lessIsBetter: true, isShare: true },
  cer: {
    title: 'Character error',
    hub: { type: 'cer', name: 'Character error rate' },
    lessIsBetter: true,
    isShare: true,
  },
  'ndcg@10': { title: 'nDCG@10', hub: { type: 'ndcg@10', name: 'Ndcg@10' }, isShare: true },
  'mrr@10': { title: 'MRR@10', hub: { type: 'mrr@10', name: 'Mrr@10' }, isShare: true },
  map: { title: 'MAP', hub: { type: 'map', name: 'Map' }, isShare: true },
  'map@100': { title: 'MAP@100', hub: { type: 'map@100', name: 'Map@100' }, isShare: true },
  'recall@1': { title: 'Recall@1', hub: { type: 'recall@1', name: 'Recall@1' }, isShare: true },
  'recall@5': { title: 'Recall@5', hub: { type: 'recall@5', name: 'Recall@5' }, isShare: true },
  'recall@10': {
    title: 'Recall@10',
    hub: { type: 'recall@10', name: 'Recall@10' },
    isShare: true,
  },
  'accuracy@1': {
    title: 'Accuracy@1',
    hub: { type: 'accuracy@1', name: 'Accuracy@1' },
    isShare: true,
  },
  triplet_accuracy: {
    title: 'Accuracy of triplets',
    hub: { type: 'accuracy', name: 'Accuracy of triplets' },
    isShare: true,
  },
  reward_accuracy: { title: 'Accuracy of rewards', isShare: true },
  reward_margin: { title: 'Reward margin' },
  kl: { title: 'KL divergence from the reference', lessIsBetter: true },
  gen_len: { title: 'Tokens generated' },
  perplexity: { title: 'Perplexity', hub: { type: 'perplexity', name: 'Perplexity' }, lessIsBetter: true },
  loss: { title: 'Validation loss', lessIsBetter: true },
} as const satisfies Record<string, ScoreDefinition>;

export type ScoreName = keyof typeof SCORES;

/**
 * Facts about a score. The name may have the prefix of a validation set (`matched_accuracy`). Undefined for
 * an unknown score.
 */
export function scoreDefinition(name: string): (ScoreDefinition & { set?: string }) | undefined {
  if (Object.hasOwn(SCORES, name)) return SCORES[name as ScoreName];
  const names = Object.keys(SCORES).filter(
    (score) => name.endsWith(`_${score}`) && name.length > score.length + 1,
  );
  const longest = names.sort((a, b) => b.length - a.length).at(0);
  if (longest === undefined) return undefined;
  return { ...SCORES[longest as ScoreName], set: name.slice(0, -longest.length - 1) };
}

/** A score's name with its average over classes, or with its positive class: `f1 (macro)`, `f1 (of "spam")`. */
export function averaged(name: string, average: string | undefined): string {
  return average === undefined ? name : `${name} (${average})`;
}

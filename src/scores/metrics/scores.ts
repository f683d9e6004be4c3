/** The name, direction and range of a score. */
export interface ScoreDefinition {
  /** Display name. */
  title: string;
  /** The score's type on the Hub; undefined if model cards do not show it. */
  hub?: string;
  /** Its name on the Hub. Default: the title. */
  hubName?: string;
  /** Whether lower is better. */
  lessIsBetter?: boolean;
  /** Whether it is a share of 1, or a correlation. Tables print it in percent, as papers do. */
  isShare?: boolean;
}

/** All scores of evaluations, by name without `eval_`. */
export const SCORES = {
  accuracy: { title: 'Accuracy', hub: 'accuracy', isShare: true },
  accuracy_norm: { title: 'Accuracy, likelihoods by byte', isShare: true },
  valid_json: { title: 'Valid JSON', isShare: true },
  exact_match: { title: 'Exact match', hub: 'exact_match', isShare: true },
  f1: { title: 'F1', hub: 'f1', isShare: true },
  matthews_correlation: {
    title: 'Matthews correlation',
    hub: 'matthews_correlation',
    isShare: true,
  },
  pearson: {
    title: 'Pearson correlation',
    hub: 'pearsonr',
    isShare: true,
  },
  spearmanr: {
    title: 'Spearman correlation',
    hub: 'spearmanr',
    isShare: true,
  },
  mse: {
    title: 'Mean squared error',
    hub: 'mse',
    lessIsBetter: true,
  },
  mae: {
    title: 'Mean absolute error',
    hub: 'mae',
    lessIsBetter: true,
  },
  r2: { title: 'R²', hub: 'r_squared', isShare: true },
  combined_score: { title: 'Combined score', isShare: true },
  expected_calibration_error: { title: 'Expected calibration error', lessIsBetter: true, isShare: true },
  precision: { title: 'Precision', hub: 'precision', isShare: true },
  recall: { title: 'Recall', hub: 'recall', isShare: true },
  rouge1: { title: 'ROUGE-1', hub: 'rouge', isShare: true },
  rouge2: { title: 'ROUGE-2', hub: 'rouge', isShare: true },
  rougeL: { title: 'ROUGE-L', hub: 'rouge', isShare: true },
  rougeLsum: { title: 'ROUGE-Lsum', hub: 'rouge', isShare: true },
  bleu: { title: 'BLEU', hub: 'bleu' },
  wer: {
    title: 'Word error',
    hub: 'wer',
    hubName: 'Word error rate',
    lessIsBetter: true,
    isShare: true,
  },
  wer_normalized: { title: 'Word error, normalized', lessIsBetter: true, isShare: true },
  cer: {
    title: 'Character error',
    hub: 'cer',
    hubName: 'Character error rate',
    lessIsBetter: true,
    isShare: true,
  },
  'ndcg@10': { title: 'nDCG@10', hub: 'ndcg@10', hubName: 'Ndcg@10', isShare: true },
  'mrr@10': { title: 'MRR@10', hub: 'mrr@10', hubName: 'Mrr@10', isShare: true },
  map: { title: 'MAP', hub: 'map', hubName: 'Map', isShare: true },
  'map@100': { title: 'MAP@100', hub: 'map@100', hubName: 'Map@100', isShare: true },
  'recall@1': { title: 'Recall@1', hub: 'recall@1', isShare: true },
  'recall@5': { title: 'Recall@5', hub: 'recall@5', isShare: true },
  'recall@10': {
    title: 'Recall@10',
    hub: 'recall@10',
    isShare: true,
  },
  'accuracy@1': {
    title: 'Accuracy@1',
    hub: 'accuracy@1',
    isShare: true,
  },
  triplet_accuracy: {
    title: 'Accuracy of triplets',
    hub: 'accuracy',
    isShare: true,
  },
  reward_accuracy: { title: 'Accuracy of rewards', isShare: true },
  reward_margin: { title: 'Reward margin' },
  kl: { title: 'KL divergence from the reference', lessIsBetter: true },
  gen_len: { title: 'Tokens generated' },
  perplexity: { title: 'Perplexity', hub: 'perplexity', lessIsBetter: true },
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

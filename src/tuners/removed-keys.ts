/** A key that configs no longer have. */
export interface RemovedKey {
  /** The value with which the key had no effect. Configs of finished runs contain it, so it is still accepted. */
  was?: unknown;
  /** What the key is called now, or why it can be removed. */
  hint: string;
}

const RANKS: RemovedKey = { hint: 'Remove it: importance alone decides the rank of each module.' };

const TIMING: RemovedKey = {
  was: 'after-step',
  hint: 'Remove it: importance is always measured after the optimizer step, as in PEFT.',
};

const TERM_HINT =
  "Remove it: the orthogonality term has the form of the paper's code. orth_reg_weight: 0 removes it.";

/** Removed keys of the methods' sections, by section and key. */
export const REMOVED_METHOD_KEYS: Readonly<Record<string, RemovedKey>> = {
  ...inSections(['adalora', 'igulora', 'prune_lora'], { min_rank: RANKS, max_rank: RANKS, quotas: RANKS }),
  ...inSections(['adadora'], {
    min_rank: { was: 1, hint: 'Remove it: every module keeps at least one triplet.' },
    max_rank: RANKS,
    quotas: RANKS,
  }),
  ...inSections(['adalora', 'adadora', 'igulora', 'prune_lora', 'elalora'], { importance_timing: TIMING }),
  ...inSections(['adalora', 'adadora', 'igulora', 'elalora', 'flexlora', 'increlora', 'svd_lora'], {
    orthogonality: { was: 'mean-norm', hint: TERM_HINT },
  }),
  ...inSections(['lora'], { orthogonality: { was: 'cosine', hint: TERM_HINT } }),
  ...inSections(['adalora'], { grow: { was: false, hint: 'Remove it: pruned triplets do not restart.' } }),
};

function inSections(sections: readonly string[], keys: Readonly<Record<string, RemovedKey>>) {
  return Object.fromEntries(
    sections.flatMap((section) =>
      Object.entries(keys).map(([key, removed]) => [`${section}.${key}`, removed]),
    ),
  );
}

/** A key that configs no longer have. */
export interface RemovedKey {
  /** The value with which the key had no effect. Configs of finished runs contain it, so it is still accepted. */
  was?: unknown;
  /** The key of today and its value. Undefined for a value that the key never accepted. */
  becomes?(value: unknown): readonly [key: string, value: unknown] | undefined;
  /** The key's new name, or the reason why it can be removed. */
  hint: string;
}

type RemovedKeys = Readonly<Record<string, RemovedKey>>;

/** The keys of a budget in a unit, whose number is now followed by the unit. */
function renamedBudget(key: 'target' | 'start', unit: string, example: string): RemovedKey {
  return {
    becomes(value) {
      if (typeof value === 'number') return [key, `${value} ${unit}`];
      return typeof value === 'string' ? [key, value] : undefined;
    },
    hint: `It is ${key} now, such as ${key}: ${example}.`,
  };
}

function renamedBudgets(components: 'triplets' | 'doublets'): RemovedKeys {
  return {
    target_budget: renamedBudget('target', components, `576 ${components}`),
    target_parameters: renamedBudget('target', 'parameters', '0.32%'),
    target_bytes: renamedBudget('target', 'B', '1.2 MB'),
    init_budget: renamedBudget('start', components, `864 ${components}`),
    init_parameters: renamedBudget('start', 'parameters', '0.48%'),
    init_bytes: renamedBudget('start', 'B', '1.8 MB'),
  };
}

const RANKS: RemovedKey = { hint: 'Remove it: importance alone decides the rank of each module.' };
const TIMING: RemovedKey = {
  was: 'after-step',
  hint: 'Remove it: importance is always measured after the optimizer step, as in PEFT.',
};
const TERM: RemovedKey = {
  was: 'mean-norm',
  hint: 'Remove it: the term is the mean of norms, as in PEFT. orth_reg_weight: 0 removes the term.',
};

/** Removed keys of the methods' sections, by section and key. */
export const REMOVED_METHOD_KEYS: RemovedKeys = {
  ...inSections(['adalora', 'adadora', 'igulora'], renamedBudgets('triplets')),
  ...inSections(['prune_lora'], renamedBudgets('doublets')),
  ...inSections(['adalora', 'igulora', 'prune_lora'], { min_rank: RANKS, max_rank: RANKS, quotas: RANKS }),
  ...inSections(['adadora'], {
    min_rank: { was: 1, hint: 'Remove it: every module keeps at least one triplet.' },
    max_rank: RANKS,
    quotas: RANKS,
  }),
  ...inSections(['adalora', 'adadora', 'igulora', 'prune_lora', 'elalora'], { importance_timing: TIMING }),
  ...inSections(['adalora', 'adadora', 'igulora', 'elalora', 'flexlora', 'increlora', 'svd_lora'], {
    orthogonality: TERM,
  }),
  ...inSections(['adalora'], { grow: { was: false, hint: 'Remove it: pruned triplets do not restart.' } }),
};

function inSections(sections: readonly string[], keys: RemovedKeys): RemovedKeys {
  return Object.fromEntries(
    sections.flatMap((section) =>
      Object.entries(keys).map(([key, removed]) => [`${section}.${key}`, removed]),
    ),
  );
}

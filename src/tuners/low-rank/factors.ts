import type { LinearModule } from '../../nn/network.ts';

/** An adapted linear layer: y += scale · x Aᵀ [diag(E)] Bᵀ with A [rank, in], E [rank], B [out, rank]. */
export interface LowRankModule extends LinearModule {
  rank: number;
  scale: number;
}

/** A module's factors, named as in formulas. E is AdaLoRA's λ, M is DoRA's magnitude [out]. */
export type Factor = 'A' | 'E' | 'B' | 'M';

/** PEFT's names of the factors. */
const NAMES: Readonly<Record<Factor, string>> = {
  A: 'lora_A',
  E: 'lora_E',
  B: 'lora_B',
  M: 'lora_magnitude_vector',
};
const FACTORS = Object.keys(NAMES) as Factor[];

/** The name of a module's factor among the trained parameters. */
export function factorName(path: string, factor: Factor): string {
  return `${path}.${NAMES[factor]}`;
}

/** The module and factor of a trained parameter. Undefined for parameters of the model. */
export function factorOf(name: string): { path: string; factor: Factor } | undefined {
  const factor = FACTORS.find((factor) => name.endsWith(`.${NAMES[factor]}`));
  return factor && { path: name.slice(0, -NAMES[factor].length - 1), factor };
}

/** Suffix of the names of frozen copies of the initial factors. */
export const AT_START = '.start';

/** Rank of each module, by its path. */
export function ranksOf(modules: readonly LowRankModule[]): Record<string, number> {
  return Object.fromEntries(modules.map(({ path, rank }) => [path, rank]));
}

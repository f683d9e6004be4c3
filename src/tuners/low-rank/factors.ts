import type { LinearModule } from '../../nn/network.ts';

/** An adapted linear layer: y += scale · x Aᵀ [diag(E)] Bᵀ with A [rank, in], E [rank], B [out, rank]. */
export interface LowRankModule extends LinearModule {
  rank: number;
  scale: number;
}

/** PEFT's names of the factors of a module; E is AdaLoRA's λ. */
export type FactorName = 'lora_A' | 'lora_E' | 'lora_B';
/** Their names in formulas. */
export type Factor = 'A' | 'E' | 'B';

/** The name of a module's factor among the trained parameters. */
export function factorName(path: string, factor: Factor): string {
  return `${path}.lora_${factor}`;
}

/** The module and factor of a trained parameter; undefined for parameters of the model. */
export function factorOf(name: string): { path: string; factor: Factor } | undefined {
  const [, path, factor] = /^(.*)\.lora_([AEB])$/.exec(name) ?? [];
  return path === undefined ? undefined : { path, factor: factor as Factor };
}

/** Rank of each module by its path. */
export function ranksOf(modules: readonly LowRankModule[]): Record<string, number> {
  return Object.fromEntries(modules.map(({ path, rank }) => [path, rank]));
}

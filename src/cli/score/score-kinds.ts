import type { ScoreKind } from './score-kind.ts';

/** Every kind of `adalora score` by its name; a new one is one line here and one file beside. */
export const SCORE_KINDS: Readonly<Record<string, () => Promise<ScoreKind>>> = {
  bleu: async () => (await import('./text-kinds.ts')).TEXT_KINDS.bleu,
  rouge: async () => (await import('./text-kinds.ts')).TEXT_KINDS.rouge,
  squad: async () => (await import('./squad.ts')).squad,
};

import type { ScoreKind } from './values-by-id.ts';

/** The official scores, by name. To add one, write a file in this folder and a line here. */
export const SCORE_KINDS: Readonly<Record<string, () => Promise<ScoreKind>>> = {
  bleu: async () => (await import('./text-kinds.ts')).TEXT_KINDS.bleu,
  rouge: async () => (await import('./text-kinds.ts')).TEXT_KINDS.rouge,
  ...Object.fromEntries(
    (['cola', 'sst2', 'mrpc', 'stsb', 'qqp', 'mnli', 'qnli', 'rte', 'wnli'] as const).map((task) => [
      `glue/${task}`,
      async () => (await import('./glue.ts')).glueKind(task),
    ]),
  ),
  seqeval: async () => (await import('./seqeval.ts')).seqevalKind,
  squad: async () => (await import('./squad.ts')).squad,
};

import { bleu } from '../../metrics/bleu.ts';
import { rouge } from '../../metrics/rouge.ts';
import { UserError } from '../../support/user-error.ts';
import type { ScoredFiles, ScoreKind } from './score-kind.ts';
import { textLines } from './text-lines.ts';

/** Scores of generated texts against references. */
export const TEXT_KINDS = {
  rouge: kind(
    'F-measures as rouge_score gives them with its stemmer, sentences of rougeLsum by newlines',
    rouge,
  ),
  bleu: kind('BLEU of all texts, 0 to 100, as sacrebleu gives it', (texts, references) => ({
    bleu: bleu(texts, references),
  })),
};

function kind(
  description: string,
  score: (texts: readonly string[], references: readonly (readonly string[])[]) => Record<string, number>,
): ScoreKind {
  return {
    description: `a text a line, or in JSON Lines a text, or for several references a list: ${description}`,
    takes: ['references'],
    needs: ['references'],
    score: (files) => score(...pairsOf(files)),
  };
}

function pairsOf({ predictions, references }: ScoredFiles): [string[], string[][]] {
  const wanted = references!;
  const [texts, right] = [textLines(predictions, false), textLines(wanted, true)];
  if (texts.length === right.length) return [texts.flat(), right];
  const expected = `${texts.length} texts, as ${predictions.name} has`;
  throw new UserError({ where: wanted.name, expected, got: `${right.length}` });
}

import { bleu } from '../../metrics/bleu.ts';
import { rouge } from '../../metrics/rouge.ts';
import { UserError } from '../../support/user-error.ts';
import type { ScoredFiles, ScoreKind } from './score-kind.ts';
import { textLines } from './text-lines.ts';

export const TEXT_KINDS = {
  rouge: kind('F-measures as in rouge_score with its stemmer; rougeLsum splits sentences at newlines', rouge),
  bleu: kind('corpus BLEU from 0 to 100, as in sacrebleu', (texts, references) => ({
    bleu: bleu(texts, references),
  })),
};

function kind(
  description: string,
  score: (texts: readonly string[], references: readonly (readonly string[])[]) => Record<string, number>,
): ScoreKind {
  return {
    description: `one text per line, or JSON Lines with a text or a list of references; ${description}`,
    takes: ['references'],
    needs: ['references'],
    score: (files) => score(...pairsOf(files)),
  };
}

function pairsOf({ predictions, references }: ScoredFiles): [string[], string[][]] {
  const wanted = references!;
  const [texts, right] = [textLines(predictions, false), textLines(wanted, true)];
  if (texts.length === right.length) return [texts.flat(), right];
  const fault = `has ${right.length} texts, but ${predictions.name} has ${texts.length}`;
  throw new UserError({ where: wanted.name, fault, hint: 'Pass one reference per prediction.' });
}

import { fileLines } from '../../../src/input/data/file-lines.ts';
import { RowProblems } from '../../../src/input/data/rows.ts';
import type { TextFile } from '../../../src/input/data/text-file.ts';
import { bleu } from '../../../src/scores/metrics/bleu.ts';
import { rouge } from '../../../src/scores/metrics/rouge.ts';
import { InvalidData } from '../../../src/support/user-error.ts';
import type { ScoredFiles, ScoreKind } from './values-by-id.ts';

/** Maximum words of a text. The time of ROUGE grows with the product of both lengths. */
const MAX_WORDS = 2 ** 14;
/** Maximum characters of a text. BLEU also counts marks, which are not in `MAX_WORDS`. */
const MAX_CHARACTERS = 2 ** 18;

const isText = (value: unknown) => typeof value === 'string';

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
    score: (files) => score(...pairTexts(files)),
  };
}

function pairTexts({ predictions, references }: ScoredFiles): [string[], string[][]] {
  const wanted = references!;
  const [texts, right] = [textLines(predictions, false), textLines(wanted, true)];
  if (texts.length === right.length) return [texts.flat(), right];
  const fault = `has ${right.length} texts, but ${predictions.name} has ${texts.length}`;
  throw new InvalidData({ where: wanted.name, fault, hint: 'Pass one reference per prediction.' });
}

/**
 * Reads the texts of a file: one per line, possibly empty. In JSON Lines (by extension), a line is a string,
 * an object as `predict` writes it, or a list of strings.
 *
 * @param listed whether a line may have several texts
 * @throws UserError with all invalid lines, and for an empty file
 */
function textLines(file: TextFile, listed: boolean): string[][] {
  const lines = [...fileLines(file.read(), file.name)];
  if (lines.length === 0) throw new InvalidData({ where: file.name, fault: 'is empty' });
  const isJson = /\.(jsonl|ndjson)$/i.test(file.name);
  const problems = new RowProblems(file.name);
  const texts = lines.map(({ line, text }) => {
    const value = isJson ? parsed(text) : text;
    const content = Object(value).text ?? value;
    const found = [content].flat();
    const isRight = found.length > 0 && found.every(isText) && (listed || !Array.isArray(content));
    const several = listed ? ', or a list of strings' : '';
    if (!isRight)
      problems.add(line, { needs: `a JSON string or {"text": …}${several}`, got: text.slice(0, 60) });
    else if (found.some((text) => text.length > MAX_CHARACTERS))
      problems.add(line, { fault: `has a text of more than ${MAX_CHARACTERS} characters` });
    else if (found.some((text) => wordsIn(text) > MAX_WORDS))
      problems.add(line, { fault: `has a text of more than ${MAX_WORDS} words` });
    return isRight ? found : [''];
  });
  problems.throwIfAny();
  return texts;
}

function wordsIn(text: string): number {
  return text.match(/[a-z0-9]+/gi)?.length ?? 0;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

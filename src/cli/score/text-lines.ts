import { RowProblems } from '../../data/row-problems.ts';
import type { TextFile } from '../../data/text-file.ts';
import { UserError } from '../../support/user-error.ts';

const isText = (value: unknown) => typeof value === 'string';

/**
 * The texts of a file: one a line, which may be empty, or in JSON Lines (by the name's extension) a string, an object as
 * `predict` writes it, or a list of strings.
 *
 * @param listed whether a line may have several
 * @throws UserError with the lines of everything else, and for an empty file
 */
export function textLines(file: TextFile, listed: boolean): string[][] {
  const lines = file.read().split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new UserError({ where: file.name, expected: 'texts', got: 'an empty file' });
  if (!/\.(jsonl|ndjson)$/i.test(file.name)) return lines.map((line) => [line.replace(/\r$/, '')]);
  const problems = new RowProblems(file.name);
  const texts = lines.map((line, i) => {
    const value = parsed(line);
    const found = [Object(value).text ?? value].flat();
    const isRight = found.length > 0 && found.every(isText) && (listed || !Array.isArray(value));
    const several = listed ? ', or a list of texts' : '';
    if (!isRight)
      problems.add(i + 1, { expected: `a text as JSON, {"text": …}${several}`, got: line.slice(0, 60) });
    return isRight ? found : [''];
  });
  problems.throwIfAny();
  return texts;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

import { type RowProblem, RowProblems } from '../../input/data/rows.ts';
import type { LanguageColumns } from '../../input/data/text/language-keys.ts';
import { type LanguageRow, languageRows, type SampleBy } from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { SequenceBuilder } from '../../input/text/token-sequences.ts';
import { InvalidData } from '../../support/user-error.ts';

/** Adds a row. Returns a problem instead if the row is invalid. */
type AddRow = (
  row: LanguageRow,
  onProgress: (characters: number) => void,
  file: number,
) => RowProblem | undefined;

/**
 * Reads files and passes their rows on. Only one file at a time is in memory.
 *
 * @param onProgress called from time to time with the completed share of the files
 * @throws UserError with the lines of all invalid rows of a file, and for files without rows
 */
export function encodeFiles(
  files: readonly TextFile[],
  columns: LanguageColumns & { sample_by: SampleBy },
  add: AddRow,
  onProgress: (share: number) => void = () => {},
): void {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  let rows = 0;
  for (const [number, file] of files.entries()) {
    const content = file.read();
    const problems = new RowProblems(file.name);
    for (const row of languageRows(content, file.name, columns, columns.sample_by, problems)) {
      const report = (characters: number) =>
        onProgress((before + (file.size * (row.offset + characters)) / content.length) / total);
      const problem = add(row, report, number);
      if (problem) problems.add(row.line, problem);
      report(0);
      rows++;
    }
    problems.throwIfAny();
    before += file.size;
  }
  if (rows > 0) return;
  const { name } = files[0]!;
  const where = files.length === 1 ? name : `${name} and ${files.length - 1} more`;
  throw new InvalidData({ where, fault: files.length === 1 ? 'is empty' : 'are empty' });
}

/** Index of the file from which each sequence of a builder comes. */
export class SequenceFiles {
  readonly #files: number[] = [];

  /** Records that all sequences since the last call come from this file. */
  note({ count }: SequenceBuilder, file: number): void {
    while (this.#files.length < count) this.#files.push(file);
  }

  get all(): Int32Array {
    return Int32Array.from(this.#files);
  }
}

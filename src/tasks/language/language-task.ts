import type { Splittable } from '../../input/data/split-rows.ts';
import type { SampleBy } from '../../input/data/text/documents.ts';
import type { LanguageColumns } from '../../input/data/text/language-keys.ts';
import { type LanguageRecord, languageRecords } from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { classOutputs } from '../classes/class-outputs.ts';
import type { ReadingFlags, UnknownTrained } from '../task-definition.ts';

/** The common part of all tasks that predict the words of a text. */
export const LANGUAGE = {
  files: {
    takesFolders: true,
    read: (files: readonly TextFile[]) => files,
    join: (parts: readonly (readonly TextFile[])[]) => parts.flat(),
    splittable: splittableFiles,
  },
  training: { batchSize: { train: 8, eval: 8 }, smoothsLabels: true, keepsHead: true },
  scores: { metrics: ['loss', 'perplexity'] },
} as const;

/** The records of all files. Each part has every file, with its own records. */
function splittableFiles(
  files: readonly TextFile[],
  reading: LanguageColumns & { sample_by: SampleBy },
): Splittable<readonly TextFile[]> {
  const records = files.map((file) => [
    ...languageRecords(contentOf(file), file.name, reading, reading.sample_by),
  ]);
  return {
    texts: records.flatMap((ofFile) => ofFile.map(({ text }) => [text])),
    pick(numbers) {
      const chosen = new Set(numbers);
      let first = 0;
      return files.map((file, i) => {
        const start = first;
        first += records[i]!.length;
        return withoutRecords(
          file,
          records[i]!.filter((_, record) => !chosen.has(start + record)),
        );
      });
    },
  };
}

/** A file without some of its records. Line ends are kept, so that messages name the lines of the file. */
function withoutRecords(file: TextFile, records: readonly LanguageRecord[]): TextFile {
  return {
    ...file,
    size: file.size,
    read(onNotice) {
      const content = contentOf(file, onNotice);
      let [kept, at] = ['', 0];
      for (const { start, end } of records) {
        kept += content.slice(at, start) + content.slice(start, end).replace(/[^\n]+/g, '');
        at = end;
      }
      return kept + content.slice(at);
    },
  };
}

function contentOf(file: TextFile, onNotice?: (message: string) => void): string {
  return file.read(onNotice).replace(/\r\n?/g, '\n');
}

const OTHER_COLUMNS = { prompt: undefined, completion: undefined, messages: undefined };
const COLUMNS = ['text', ...Object.keys(OTHER_COLUMNS)];

/**
 * The settings for reading another file than the run's: the run's settings, changed by flags.
 *
 * @param task the task's name, for messages
 * @param known keys of the task's `data` section
 */
export function readingWithFlags<Reading extends object>(
  task: string,
  known: readonly string[],
  reading: Reading,
  flags: ReadingFlags,
): Reading {
  for (const [key, value] of Object.entries(flags)) {
    if (!known.includes(key)) throw meaningless(key, task);
    if (typeof value === 'number' && COLUMNS.includes(key)) throw numbered(key, value);
  }
  // A flag that names a text column replaces the run's other columns.
  return { ...reading, ...(flags.text !== undefined && OTHER_COLUMNS), ...flags };
}

/** Whether a model has this language model head, and no adapter with a head for classes. */
export function hasWordHead(model: UnknownTrained, architecture: string | undefined): boolean {
  return (
    !model.taskType &&
    classOutputs(model) === undefined &&
    architecture !== undefined &&
    model.architecture === architecture
  );
}

function meaningless(key: string, task: string): UserError {
  const hint = suggest(key, ['text', 'max_length']);
  return new UserError({
    where: `--${key}`,
    fault: `does not apply to task ${task}`,
    hint,
    code: 'invalid_argument',
  });
}

function numbered(key: string, column: number): UserError {
  return new UserError({
    where: `--${key}`,
    fault: `must name a key, got column number ${column}`,
    code: 'invalid_argument',
  });
}

import { z } from 'zod';
import type { Splittable } from '../../input/data/split-rows.ts';
import type { LanguageColumns } from '../../input/data/text/language-keys.ts';
import {
  type LanguageRecord,
  languageRecords,
  SAMPLE_BY,
  type SampleBy,
} from '../../input/data/text/language-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { planEvaluation } from '../../input/text/batches.ts';
import type { Evaluation, ExampleSet } from '../../program/example-set.ts';
import { printedInPython, textsInPython } from '../../program/modalities/in-python.ts';
import { batchLosses } from '../../program/predict-batches.ts';
import { bootstrap } from '../../scores/metrics/score-interval.ts';
import { UserError } from '../../support/user-error.ts';
import { classOutputs } from '../classes/labels.ts';
import { dataFileKeys } from '../data-files.ts';
import type { ReadingFlags } from '../prediction.ts';
import { withFlags } from '../table-columns.ts';
import type { UnknownTrained } from '../task-definition.ts';

const nonEmpty = z.string().min(1);

/** Keys of every language model. */
export const languageData = {
  /** Text (.txt), JSON Lines, or a folder of them. */
  ...dataFileKeys,
  /** JSON key of the text. Default: `text`. */
  text: nonEmpty.optional(),
  /** Unit of a document: the whole text, a paragraph or a line. */
  sample_by: z.enum(SAMPLE_BY).default('document'),
  /** Maximum number of tokens of an example, special tokens included. Default: 1024, or the model's limit if lower. */
  max_length: z.int().min(2).optional(),
};

/**
 * Scores a language model. `eval_loss` is the mean over all labeled tokens of the set, and `eval_perplexity` its
 * exponential.
 *
 * @throws NotFinite with the first example of a batch without a finite loss
 */
export function lossEvaluation(examples: ExampleSet, batchSize: number): Evaluation {
  return {
    examples,
    output: 'loss',
    async run(program, values, watch) {
      const batches = planEvaluation(examples, batchSize);
      const losses = await batchLosses(program, values, examples, batches);
      // Resamples whole batches, because the losses of single tokens are not known.
      const meanOf = (rows: Iterable<number>) => {
        const drawn = Array.from(rows, (row) => losses[row]!);
        const weights = drawn.reduce((sum, { weight }) => sum + weight, 0);
        return drawn.reduce((sum, { loss, weight }) => sum + weight * loss, 0) / weights;
      };
      watch?.onCertainty?.({
        groups: Int32Array.from(examples.lengths.keys()),
        interval(score) {
          const batches = Int32Array.from(losses.keys());
          if (score === 'loss') return bootstrap(batches, meanOf);
          if (score === 'perplexity') return bootstrap(batches, (rows) => Math.exp(meanOf(rows)));
          return undefined;
        },
      });
      const mean = meanOf(losses.keys());
      return { eval_loss: mean, eval_perplexity: Math.exp(mean) };
    },
  };
}

/** The common part of all tasks that predict the words of a text. */
export const LANGUAGE = {
  files: {
    takesFolders: true,
    read: (files: readonly TextFile[]) => files,
    join: (parts: readonly (readonly TextFile[])[]) => parts.flat(),
    contents: ({ text }: { text?: string | undefined }) => (text === undefined ? [] : [text]),
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
    ...languageRecords(readContent(file), file.name, reading, reading.sample_by),
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
      const content = readContent(file, onNotice);
      let [kept, at] = ['', 0];
      for (const { start, end } of records) {
        kept += content.slice(at, start) + content.slice(start, end).replace(/[^\n]+/g, '');
        at = end;
      }
      return kept + content.slice(at);
    },
  };
}

function readContent(file: TextFile, onNotice?: (message: string) => void): string {
  return file.read(onNotice).replace(/\r\n?/g, '\n');
}

const OTHER_COLUMNS = { prompt: undefined, completion: undefined, messages: undefined };
const COLUMNS = ['text', ...Object.keys(OTHER_COLUMNS)];

/**
 * The settings for reading another file than the run's: the run's settings, changed by flags.
 *
 * @param task the task's name, for messages
 * @param schema of the task's `data` section
 */
export function readingWithFlags<Reading extends object>(
  task: string,
  schema: z.ZodObject,
  reading: Reading,
  flags: ReadingFlags,
): Reading {
  // A flag that names a text column replaces the run's other columns.
  const before = { ...reading, ...(flags.text !== undefined && OTHER_COLUMNS) };
  const changed = withFlags(schema, before, flags, `task ${task}`, ['text', 'max_length']);
  for (const [key, value] of Object.entries(flags))
    if (typeof value === 'number' && COLUMNS.includes(key)) throw makeColumnError(key, value);
  return changed;
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

function makeColumnError(key: string, column: number): UserError {
  return new UserError({
    where: `--${key}`,
    fault: `must name a key, got column number ${column}`,
    code: 'invalid_argument',
  });
}

/** How a result that continues texts is used: a part of a task's `words`. */
export const DECODER_WORDS = {
  hub: { pipeline: 'text-generation', name: 'Text Generation' },
  use: () => ({ command: 'adalora generate . --prompt "Some text"' }),
  python: () => ({
    autoModel: 'AutoModelForCausalLM',
    lines: [textsInPython('"Some text"'), printedInPython('model.generate(**inputs, max_new_tokens=64)[0]')],
  }),
  instead: 'Generate text with adalora generate, or score the model with adalora eval.',
};

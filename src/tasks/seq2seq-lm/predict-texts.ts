import { detectFormat } from '../../input/data/detect-format.ts';
import { fileLines } from '../../input/data/file-lines.ts';
import type { Generated } from '../../program/generation/prompt.ts';
import { suggest } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { Prediction } from '../prediction.ts';
import type { ReadingFlags, ReadingOf } from '../task-definition.ts';
import { type PairData, pairDataSchema } from './data-section.ts';
import { encodeSource } from './pair-examples.ts';
import { readPairs } from './read-pairs.ts';
import { writeTexts, writingConfig } from './write-texts.ts';

/** The text that the model reads. */
export interface Source {
  source: string;
}

const STANDARD_INPUT = 'standard input';

/** Generates a text for each source. */
export const predictTexts: Prediction<PairData, Source> = {
  input: {
    withFlags: pairsWithFlags,
    parse: (content, fileName, reading) =>
      isPlain(fileName) ? linesOf(content, fileName) : readPairs(content, fileName, reading, false),
    typed: (content, reading) =>
      detectFormat(STANDARD_INPUT, content.trimStart()) === 'jsonl'
        ? readPairs(content, STANDARD_INPUT, reading, false)
        : linesOf(content, STANDARD_INPUT),
    shape: () => ({ keys: { source: { is: 'a string' } }, others: ['line', 'targets'] }),
    line: () => (source) => ({ source }),
    atOnce: (batchSize) => batchSize,
  },
  async answer(inputs, { program, generator }, context, batchSize) {
    const sources = inputs.map(({ source }) => source);
    return writeTexts(await generator(), program.communicator, sources, context, batchSize);
  },
  writes: (source, context, input) => ({
    prompt: encodeSource(source, context).inputIds,
    input: writingConfig(context, input),
  }),
  output: {
    json(answer, details) {
      const { text, ids, finish } = answer as Generated;
      return { text, ...(details && { ids: [...ids], finish }) };
    },
    describe: (answer) => (answer as Generated).text,
  },
};

/** The settings for reading another file than the run's: the run's settings, changed by flags. */
export function pairsWithFlags(reading: ReadingOf<PairData>, flags: ReadingFlags): ReadingOf<PairData> {
  const known = Object.keys(pairDataSchema.shape);
  const wrong = Object.keys(flags).find((key) => !known.includes(key));
  if (wrong === undefined) return { ...reading, ...flags };
  const hint = suggest(wrong, known);
  throw new UserError({
    where: `--${wrong}`,
    fault: 'does not apply to pairs of texts',
    hint,
    code: 'invalid_argument',
  });
}

function isPlain(fileName: string): boolean {
  return /\.txt$/i.test(fileName);
}

/** Reads one text per line. Blank lines keep their place, so that answers correspond to lines. */
function linesOf(content: string, fileName: string): Source[] {
  if (content.trim() !== '')
    return Array.from(fileLines(content, fileName), ({ text }) => ({ source: text }));
  throw new InvalidData({ where: fileName, fault: 'has no texts' });
}

import { detectFormat } from '../../input/data/detect-format.ts';
import { fileLines } from '../../input/data/file-lines.ts';
import { planEvaluation } from '../../input/text/batches.ts';
import { generationSettings } from '../../program/generation/generation-settings.ts';
import type { Generated, GenerationInput } from '../../program/generation/prompt.ts';
import type { TextGenerator } from '../../program/generation/text-generator.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { dealJson } from '../../program/parallel/deal.ts';
import { suggest } from '../../support/text.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { EncodingContext, Prediction, ReadingFlags, ReadingOf } from '../prediction.ts';
import { encodeSource, targetLength } from './pair-examples.ts';
import { type PairData, pairDataSchema, readPairs } from './read-pairs.ts';

type Context = EncodingContext<PairData>;

/**
 * The settings with which a task generates texts. Those of `data.generation_config` override those of the model's
 * files, and `input` overrides both.
 *
 * @throws UserError for keys that contradict each other or have no effect on the model
 */
export function writingConfig(context: Context, input: GenerationInput = {}): GenerationInput {
  const settings: GenerationInput = { ...context.reading.generation_config, ...input };
  const isBounded = settings.max_length !== undefined || settings.max_new_tokens !== undefined;
  const user = { ...(!isBounded && { max_length: targetLength(context) }), ...settings };
  generationSettings({ ...context.generationFiles(), user }, 'data.generation_config');
  return user;
}

/**
 * Generates texts for sources, in their order. Sources of similar length share a batch. Processes divide the batches.
 */
export async function writeTexts(
  generator: TextGenerator,
  communicator: Communicator,
  sources: readonly string[],
  context: Context,
  batchSize: number,
): Promise<Generated[]> {
  const config = writingConfig(context);
  const prompts = sources.map((source) => encodeSource(source, context).inputIds);
  const lengths = Int32Array.from(prompts, ({ length }) => length);
  const texts = new Array<Generated>(sources.length);
  const batches = planEvaluation({ lengths }, batchSize);
  const written = await dealJson(communicator, batches.length, async (number) => {
    const batch = Array.from(batches[number]!, (i) => prompts[i]!);
    const generated = await generator.generateAll(batch, config);
    return generated.map(([best]) => ({ ...best!, ids: [...best!.ids] }));
  });
  for (const [number, ofBatch] of written.entries()) {
    for (const [row, best] of ofBatch.entries())
      texts[batches[number]![row]!] = { ...best, ids: Int32Array.from(best.ids) };
  }
  return texts;
}

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
      isPlain(fileName) ? splitLines(content, fileName) : readPairs(content, fileName, reading, false),
    typed: (content, reading) =>
      detectFormat(STANDARD_INPUT, content.trimStart()) === 'jsonl'
        ? readPairs(content, STANDARD_INPUT, reading, false)
        : splitLines(content, STANDARD_INPUT),
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
function splitLines(content: string, fileName: string): Source[] {
  if (content.trim() !== '')
    return Array.from(fileLines(content, fileName), ({ text }) => ({ source: text }));
  throw new InvalidData({ where: fileName, fault: 'has no texts' });
}

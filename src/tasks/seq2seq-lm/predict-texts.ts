import { detectFormat } from '../../input/data/detect-format.ts';
import { generationSettings } from '../../program/generation/generation-settings.ts';
import type { Generated, GenerationInput } from '../../program/generation/prompt.ts';
import type { TextGenerator } from '../../program/generation/text-generator.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { writeTexts } from '../language/write-texts.ts';
import type { EncodingContext, Prediction } from '../prediction.ts';
import { listTexts, STANDARD_INPUT } from '../table-columns.ts';
import { encodeSource, targetLength } from './pair-examples.ts';
import { type PairData, readPairs } from './read-pairs.ts';

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

/** Generates texts for sources, in their order. */
export async function writeTargets(
  generator: TextGenerator,
  communicator: Communicator,
  sources: readonly string[],
  context: Context,
  batchSize: number,
): Promise<Generated[]> {
  const prompts = sources.map((source) => encodeSource(source, context).inputIds);
  return writeTexts(generator, communicator, prompts, writingConfig(context), batchSize);
}

/** The text that the model reads. */
export interface Source {
  source: string;
}

/** Generates a text for each source. */
export const predictTexts: Prediction<PairData, Source> = {
  input: {
    parse(content, fileName, reading) {
      const isPlain =
        fileName === undefined
          ? detectFormat(STANDARD_INPUT, content.trimStart()) !== 'jsonl'
          : /\.txt$/i.test(fileName);
      if (isPlain) return listTexts(content, fileName).map((source) => ({ source }));
      return readPairs(content, fileName ?? STANDARD_INPUT, reading, false);
    },
    shape: () => ({ keys: { source: { is: 'a string' } }, others: ['line', 'targets'] }),
    line: () => (source) => ({ source }),
    atOnce: (batchSize) => batchSize,
  },
  async answer(inputs, { program, generator }, context, batchSize) {
    const sources = inputs.map(({ source }) => source);
    return writeTargets(await generator(), program.communicator, sources, context, batchSize);
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

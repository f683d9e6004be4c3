import { planEvaluation } from '../../input/text/batches.ts';
import { openLanguageModel } from '../../program/generation/causal-language-model.ts';
import type { Generated, GenerationInput } from '../../program/generation/prompt.ts';
import { TextGenerator } from '../../program/generation/text-generator.ts';
import { writtenTexts } from '../../program/modalities/contents.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { dealJson } from '../../program/parallel/deal.ts';
import type { Evaluator } from '../../program/program.ts';
import type { EncodingContext } from '../prediction.ts';

/** Uses a generator of a program's model, and closes it. */
export async function withGenerator<Result>(
  { parts }: Evaluator,
  values: Float32Array,
  { modality, generationFiles }: Pick<EncodingContext, 'modality' | 'generationFiles'>,
  use: (generator: TextGenerator) => Promise<Result>,
): Promise<Result> {
  const model = await openLanguageModel({ ...parts, values });
  const generator = new TextGenerator({
    model,
    texts: writtenTexts(modality),
    files: generationFiles(),
    isChat: false,
    close: () => model.release(),
  });
  try {
    return await use(generator);
  } finally {
    await generator.close();
  }
}

/** Generates a text for each prompt, in order. Prompts of similar length share a batch. Processes divide the batches. */
export async function writeTexts(
  generator: TextGenerator,
  communicator: Communicator,
  prompts: readonly Int32Array[],
  config: GenerationInput,
  batchSize: number,
): Promise<Generated[]> {
  const lengths = Int32Array.from(prompts, ({ length }) => length);
  return dealTexts(communicator, lengths, batchSize, async (rows) => {
    const generated = await generator.generateAll(
      rows.map((i) => prompts[i]!),
      config,
    );
    return generated.map(([best]) => best!);
  });
}

/**
 * Generates texts in batches of rows of similar length, and returns them in the order of the rows. Processes divide the
 * batches.
 *
 * @param write generates the texts of a batch's rows
 */
export async function dealTexts(
  communicator: Communicator,
  lengths: Int32Array,
  batchSize: number,
  write: (rows: number[], batch: number) => Promise<readonly Generated[]>,
): Promise<Generated[]> {
  // A step of the decoder is as fast for many texts.
  const batches = planEvaluation({ lengths }, batchSize, Number.POSITIVE_INFINITY);
  const written = await dealJson(communicator, batches.length, async (number) => {
    const texts = await write([...batches[number]!], number);
    return texts.map((one) => ({ ...one, ids: [...one.ids] }));
  });
  const texts = new Array<Generated>(lengths.length);
  for (const [number, ofBatch] of written.entries())
    for (const [row, { ids, ...one }] of ofBatch.entries())
      texts[batches[number]![row]!] = { ...one, ids: Int32Array.from(ids) };
  return texts;
}

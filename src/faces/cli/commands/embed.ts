import { collect } from '../../../support/arrays.ts';
import { UserError } from '../../../support/user-error.ts';
import type { EmbedOptions } from '../../../tasks/prediction.ts';
import { findNearest } from '../../../tasks/sentence-embedding/embed-texts.ts';
import { unit } from '../../../tasks/sentence-vectors.ts';
import { chooseSources, openHere, readInputs, withModel } from '../choose-inputs.ts';
import type { OpenFlags, Shard, SplitFlags } from '../flags.ts';
import { readInput } from '../standard-input.ts';
import { write } from '../terminal/screen.ts';

type Flags = OpenFlags & SplitFlags & EmbedOptions & { nearest?: string; shard?: Shard };

/** Number of nearest inputs that are printed. */
const NEAREST = 10;

export default async function run(path: string, file: string | undefined, flags: Flags): Promise<void> {
  await withModel(path, flags, { embeds: true }, async (model) => {
    const { prediction } = model.definition();
    if (!prediction?.vectors) throw noVectors(path, model.task);
    const { medium, sources, reading } = await chooseSources(model, file, flags);
    const read = sources ?? [await readInput()];
    const found = await readInputs(read, prediction, reading, { medium, shard: flags.shard });
    const inputs = found.inputs as { text: string; [medium: string]: unknown }[];
    const { prompt, promptName, dimensions, nearest } = flags;
    if (nearest !== undefined)
      inputs.unshift({ text: nearest, ...(medium && { [medium.name]: () => openHere(nearest) }) });
    const context = model.context();
    const asked = inputs.map(({ text, ...files }) => ({
      ...(prediction.vectors?.input(text, { prompt, promptName, dimensions }, context) as object),
      ...(medium && { [medium.name]: files[medium.name] }),
    }));
    const predicted = model.predict<unknown, object>(asked, { reading });
    if (nearest !== undefined) {
      const [query, ...others] = model.vectorsOf(await collect(predicted));
      return await printNearest(query!, others, inputs.slice(1));
    }
    for await (const answer of predicted)
      await write(`${JSON.stringify(prediction.output.json(answer, false, []))}\n`);
  });
}

/** Prints the inputs whose vectors are most similar to a query's, the most similar first. */
async function printNearest(
  query: Float32Array,
  vectors: readonly Float32Array[],
  inputs: readonly { text: string }[],
): Promise<void> {
  for (const { number, score } of findNearest(query, vectors.map(unit), NEAREST)) {
    const found = { row: number + 1, text: inputs[number]!.text, score: Number(score.toFixed(6)) };
    await write(`${JSON.stringify(found)}\n`);
  }
}

function noVectors(where: string, task: string | undefined): UserError {
  return new UserError({
    where,
    fault: `is a model for ${task}, not an embedding model`,
    hint: 'Give its base model.',
    code: 'unsupported',
  });
}

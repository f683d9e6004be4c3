import { Command } from 'commander';
import { collect } from '../../../support/arrays.ts';
import { UserError } from '../../../support/user-error.ts';
import type { EmbedOptions } from '../../../tasks/prediction.ts';
import { chooseSources, openHere, readInputs, readTyped } from '../choose-inputs.ts';
import {
  addOpenFlags,
  addReadingFlags,
  addSplitFlags,
  count,
  type OpenFlags,
  type Shard,
  type SplitFlags,
  sharedOption,
  TEXT_KEYS,
  withModel,
} from '../flags.ts';
import { write } from '../terminal/screen.ts';

type Flags = OpenFlags & SplitFlags & EmbedOptions & { nearest?: string; shard?: Shard };

/** Number of nearest inputs that are printed. */
const NEAREST = 10;

export function embedCommand(): Command {
  const command = new Command('embed')
    .description(
      'Turn texts or pictures into vectors, and search among them. Prints one JSON line each: {"embedding": [...]}.',
    )
    .argument('<run, adapter or model>', 'folder of a run, of an adapter or of a model; or an id on the Hub')
    .argument(
      '[file]',
      'one text per line (.txt), TSV, CSV or JSON Lines with --text, a picture or a folder of pictures (default: standard input)',
    )
    .option('--prompt <text>', 'text put before every input')
    .option('--prompt_name, --prompt-name <name>', "name of a prompt in the model's files, such as query")
    .option('--dimensions <count>', 'truncate vectors to this many dimensions', count)
    .option('--nearest <text or picture>', 'print the 10 nearest inputs by cosine instead of vectors');
  return addReadingFlags(addOpenFlags(addSplitFlags(command)), TEXT_KEYS)
    .addOption(sharedOption('shard').conflicts('nearest'))
    .action(run);
}

async function run(path: string, file: string | undefined, flags: Flags): Promise<void> {
  await withModel(path, flags, { embeds: true }, async (model) => {
    const { prediction } = model.definition();
    if (!prediction?.vectors) throw noVectors(path, model.task);
    const { readsPictures, sources, reading } = await chooseSources(model, file, flags);
    const read = sources ?? [await readTyped()];
    const found = await readInputs(read, prediction, reading, { readsPictures, shard: flags.shard });
    const inputs = found.inputs as { text: string; image?: unknown }[];
    const { prompt, promptName, dimensions, nearest } = flags;
    if (nearest !== undefined)
      inputs.unshift({ text: nearest, image: readsPictures ? () => openHere(nearest) : undefined });
    const context = model.context();
    const asked = inputs.map(({ text, image }) => ({
      ...(prediction.vectors?.input(text, { prompt, promptName, dimensions }, context) as object),
      ...(image !== undefined && { image }),
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
  const { findNearest, unit } = await import('../../../tasks/sentence-embedding/embed-texts.ts');
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

import { once } from 'node:events';
import { Command } from 'commander';
import type { Processes } from '../../../program/parallel/communicator.ts';
import { fromFirst } from '../../../program/parallel/from-first.ts';
import { UserError } from '../../../support/user-error.ts';
import type { EmbedOptions } from '../../../tasks/prediction.ts';
import {
  addOpenFlags,
  addReadingFlags,
  addSplitFlags,
  count,
  namedFiles,
  type OpenFlags,
  openFlags,
  readingFlags,
  type SplitFlags,
  TEXT_KEYS,
} from '../flags.ts';
import { inAllProcesses } from '../in-all-processes.ts';
import { inputsOf } from '../inputs-of.ts';

type Flags = OpenFlags & SplitFlags & EmbedOptions;

export function embedCommand(): Command {
  const command = new Command('embed')
    .description('Turn texts into vectors, for search. Prints one JSON line per text: {"embedding": [...]}.')
    .argument('<run, adapter or model>', 'folder of a run, of an adapter or of a model; or an id on the Hub')
    .argument(
      '[file]',
      'one text per line (.txt), or TSV, CSV or JSON Lines with --text (default: standard input)',
    )
    .option('--prompt <text>', 'text put before every input')
    .option('--prompt_name, --prompt-name <name>', "name of a prompt in the model's files, such as query")
    .option('--dimensions <count>', 'truncate vectors to this many dimensions', count);
  return addReadingFlags(addOpenFlags(addSplitFlags(command)), TEXT_KEYS).action((path, file, flags) =>
    inAllProcesses((processes) => run(path, file, flags, processes)),
  );
}

async function run(
  path: string,
  file: string | undefined,
  flags: Flags,
  processes: Processes,
): Promise<void> {
  const { open } = await import('../../../use/trained/node/open.ts');
  const { readInput } = await import('../standard-input.ts');
  const model = await open(path, { ...openFlags(flags), processes, embeds: true });
  try {
    const { prediction } = model.definition();
    if (!prediction?.vectors) throw noVectors(path, model.task);
    const files = await namedFiles(file === '-' ? undefined : file, flags, false);
    const context = model.context();
    const reading = prediction.input.withFlags(context.reading, readingFlags(flags), files?.[0]?.name);
    const sources = files ?? [await fromFirst(processes.communicator, readInput)];
    const readsPictures = context.modality.reads === 'image';
    const found = await inputsOf(sources, prediction, reading, readsPictures);
    const inputs = found.inputs as { text: string; image?: unknown }[];
    const { prompt, promptName, dimensions } = flags;
    const asked = inputs.map(({ text, image }) => ({
      ...(prediction.vectors?.input(text, { prompt, promptName, dimensions }, context) as object),
      ...(image !== undefined && { image }),
    }));
    for await (const answer of model.predict<unknown, object>(asked, { reading })) {
      if (processes.communicator.rank > 0) continue;
      const line = JSON.stringify(prediction.output.json(answer, false, []));
      if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
    }
  } finally {
    await model.close();
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

import { once } from 'node:events';
import { Command } from 'commander';
import type { Prediction } from '../../tasks/prediction.ts';
import type { BaseData } from '../../tasks/task-definition.ts';
import type { OpenedModel } from '../../trained/node/open.ts';
import { addUseFlags, openFlags, readingFlags, type UseFlags } from '../flags.ts';

export function predictCommand(): Command {
  const command = new Command('predict')
    .description(
      'Predict a line of JSON for each row: label, and probabilities in the order of the labels. In a terminal, answer what is typed.',
    )
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT or AdapterHub')
    .argument('[file]', 'TSV, CSV or JSON Lines; standard input without (there also one text a line)')
    .option('--logits', 'give the logits as well');
  return addUseFlags(command).action(run);
}

async function run(
  path: string,
  file: string | undefined,
  flags: UseFlags & { logits?: boolean },
): Promise<void> {
  const { open } = await import('../../trained/node/open.ts');
  const { readInput } = await import('../standard-input.ts');
  const { textFile } = await import('../../data/node/text-files.ts');
  const trained = await open(path, openFlags(flags));
  try {
    const { prediction } = trained.definition();
    if (!prediction) throw trained.cannotPredict();
    const named = file === '-' ? undefined : file;
    const reading = prediction.withFlags(trained.context().reading, readingFlags(flags), named);
    const isAsked = file === undefined && process.stdin.isTTY && process.stdout.isTTY && !flags.logits;
    const line = prediction.line?.(reading);
    if (isAsked && line) return await answerTyped(trained, prediction, line);
    const inputs =
      named === undefined
        ? prediction.typed(await readInput(), reading)
        : prediction.inputs(textFile(named).read(), named, reading);
    for await (const answer of trained.predict<unknown>(inputs)) {
      const json = JSON.stringify(prediction.json(answer, flags.logits ?? false));
      if (!process.stdout.write(`${json}\n`)) await once(process.stdout, 'drain');
    }
  } finally {
    await trained.close();
  }
}

/** Answers messages that are typed, until the input ends. */
async function answerTyped(
  trained: OpenedModel,
  { describe }: Prediction<BaseData, unknown>,
  line: (text: string) => unknown,
): Promise<void> {
  const { askMessages } = await import('../terminal/ask-messages.ts');
  const answer = async (text: string) => {
    for await (const found of trained.predict<unknown>([line(text)]))
      console.log(describe(found, trained.labels));
  };
  console.error('Type a message. An empty line ends it, Ctrl-D ends all.');
  await askMessages(answer, { input: process.stdin, output: process.stderr });
}

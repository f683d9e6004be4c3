import { once } from 'node:events';
import { join } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../../support/user-error.ts';
import type { Answer, Prediction } from '../../tasks/prediction.ts';
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
    .option('--logits', 'give the logits as well')
    .option(
      '-o, --output <folder>',
      'write files of the official format instead: predictions.json and so on',
    );
  return addUseFlags(command).action(run);
}

async function run(
  path: string,
  file: string | undefined,
  flags: UseFlags & { logits?: boolean; output?: string },
): Promise<void> {
  const { open } = await import('../../trained/node/open.ts');
  const { readInput } = await import('../standard-input.ts');
  const { textFile } = await import('../../data/node/text-files.ts');
  const trained = await open(path, openFlags(flags));
  try {
    const { prediction } = trained.definition();
    if (!prediction) throw trained.cannotPredict();
    const { output } = flags;
    if (output !== undefined && !prediction.files) throw noFiles(path, trained.task);
    const named = file === '-' ? undefined : file;
    const reading = prediction.withFlags(trained.context().reading, readingFlags(flags), named);
    const isAsked =
      file === undefined &&
      output === undefined &&
      process.stdin.isTTY &&
      process.stdout.isTTY &&
      !flags.logits;
    const line = prediction.line?.(reading);
    if (isAsked && line) return await answerTyped(trained, prediction, line);
    const inputs =
      named === undefined
        ? prediction.typed(await readInput(), reading)
        : prediction.inputs(textFile(named).read(), named, reading);
    if (output !== undefined && prediction.files) {
      const answers: Answer[] = [];
      for await (const answer of trained.predict<unknown, Answer>(inputs, reading)) answers.push(answer);
      return writeFiles(output, prediction.files(inputs, answers));
    }
    for await (const answer of trained.predict<unknown>(inputs, reading)) {
      const json = JSON.stringify(prediction.json(answer, flags.logits ?? false));
      if (!process.stdout.write(`${json}\n`)) await once(process.stdout, 'drain');
    }
  } finally {
    await trained.close();
  }
}

function noFiles(where: string, task: string | undefined): UserError {
  const expected = 'a model whose answers have an official format';
  return new UserError({ where, expected, got: `one of task ${task}`, hint: 'Leave --output out.' });
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { atomicWrite } = await import('../../formats/node/atomic-write.ts');
  for (const [name, content] of Object.entries(files)) atomicWrite(join(folder, name), content);
  console.log(`The predictions are in ${folder}`);
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

import { once } from 'node:events';
import { Command } from 'commander';
import { UserError } from '../../support/user-error.ts';
import type { Prediction } from '../../tasks/prediction.ts';
import type { BaseData } from '../../tasks/task-definition.ts';
import type { OpenedModel } from '../../trained/node/open.ts';
import {
  addSplitFlags,
  addUseFlags,
  namedFiles,
  openFlags,
  readingFlags,
  type SplitFlags,
  type UseFlags,
} from '../flags.ts';

export function predictCommand(): Command {
  const command = new Command('predict')
    .description(
      'Predict a line of JSON for each row: label, and probabilities in the order of the labels. In a terminal, answer what is typed.',
    )
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT or AdapterHub')
    .argument('[file]', 'TSV, CSV or JSON Lines; standard input without (there also one text a line)')
    .option('--logits', 'give the logits as well')
    .option(
      '--format <form>',
      'of the answers: jsonl, or glue for the lines of a submission to GLUE',
      'jsonl',
    );
  return addUseFlags(addSplitFlags(command)).action(run);
}

async function run(
  path: string,
  file: string | undefined,
  flags: UseFlags & SplitFlags & { logits?: boolean; format: string },
): Promise<void> {
  const { open } = await import('../../trained/node/open.ts');
  const { readInput } = await import('../standard-input.ts');
  const trained = await open(path, openFlags(flags));
  try {
    const { prediction } = trained.definition();
    if (!prediction) throw trained.cannotPredict();
    const named = file === '-' ? undefined : file;
    const files = await namedFiles(named, flags, false);
    const reading = prediction.withFlags(trained.context().reading, readingFlags(flags), files?.[0].name);
    const format = formatNamed(flags.format, prediction);
    const isAsked =
      file === undefined && !files && process.stdin.isTTY && process.stdout.isTTY && !flags.logits;
    const line = prediction.line?.(reading);
    if (isAsked && line) return await answerTyped(trained, prediction, line);
    const inputs =
      files === undefined
        ? prediction.typed(await readInput(), reading)
        : files.flatMap((file) =>
            prediction.inputs(file.read(), file.name, reading, (message) => console.error(message)),
          );
    if (format) await write(format.header);
    let place = 0;
    for await (const answer of trained.predict<unknown>(inputs)) {
      await write(
        format
          ? format.line(answer as object, inputs[place], place)
          : JSON.stringify(prediction.json(answer as object, flags.logits ?? false)),
      );
      place++;
    }
  } finally {
    await trained.close();
  }
}

/** How answers are written; undefined for JSON Lines. */
function formatNamed(name: string, { formats = {} }: Prediction<BaseData, unknown>) {
  if (name === 'jsonl') return undefined;
  if (Object.hasOwn(formats, name)) return formats[name];
  const names = ['jsonl', ...Object.keys(formats)];
  throw new UserError({ where: '--format', expected: `one of ${names.join(', ')}`, got: name });
}

async function write(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
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

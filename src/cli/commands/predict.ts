import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { fromFirst } from '../../parallel/node/from-first.ts';
import type { Processes } from '../../parallel/node/join-processes.ts';
import { UserError } from '../../support/user-error.ts';
import type { Answer, Prediction } from '../../tasks/prediction.ts';
import type { BaseData } from '../../tasks/task-definition.ts';
import type { OpenedModel } from '../../trained/node/open.ts';
import { AnswerTable } from '../answer-table.ts';
import {
  addSplitFlags,
  addUseFlags,
  namedFiles,
  openFlags,
  readingFlags,
  type SplitFlags,
  type UseFlags,
} from '../flags.ts';
import { inAllProcesses } from '../in-all-processes.ts';
import { inputsOf } from '../inputs-of.ts';

/** Output formats of every task. */
const EVERY = ['jsonl', 'csv'];

export function predictCommand(): Command {
  const command = new Command('predict')
    .description(
      'Print one JSON line per row: id or row number, label, and the probability of each label. In a terminal, classify what you type.',
    )
    .argument('<run or adapter>', 'folder of a run or of an adapter (PEFT or AdapterHub)')
    .argument(
      '[file]',
      'TSV, CSV or JSON Lines, or a picture or a folder of pictures (default: standard input, in one of these formats or with one text per line)',
    )
    .option('--json', 'print JSON Lines (the default)')
    .option('--logits', 'also print the logits')
    .addOption(
      new Option('--format <form>', 'output format: jsonl, csv, or glue for a submission to GLUE')
        .default('jsonl')
        .conflicts('json'),
    )
    .option(
      '-o, --output <folder>',
      "instead of printing, write files for the task's official scorer into this folder",
    );
  return addUseFlags(addSplitFlags(command)).action((path, file, flags) =>
    inAllProcesses((processes) => run(path, file, flags, processes)),
  );
}

async function run(
  path: string,
  file: string | undefined,
  flags: UseFlags & SplitFlags & { logits?: boolean; format: string; output?: string },
  processes: Processes,
): Promise<void> {
  const { open } = await import('../../trained/node/open.ts');
  const { readInput } = await import('../standard-input.ts');
  const { communicator } = processes;
  const isFirst = communicator.rank === 0;
  const trained = await open(path, { ...openFlags(flags), processes });
  try {
    const { prediction } = trained.definition();
    if (!prediction) throw trained.cannotPredict();
    const { output } = flags;
    if (output !== undefined && !prediction.output.files) throw noFiles(path, trained.task);
    const named = file === '-' ? undefined : file;
    if (named !== undefined && /\s/.test(named) && !existsSync(named)) throw noFile(named, path);
    const files = await namedFiles(named, flags, false);
    const reading = prediction.input.withFlags(
      trained.context().reading,
      readingFlags(flags),
      files?.[0]?.name,
    );
    const format = formatNamed(flags.format, prediction);
    const isAsked =
      communicator.size === 1 &&
      file === undefined &&
      !files &&
      output === undefined &&
      process.stdin.isTTY &&
      process.stdout.isTTY &&
      !flags.logits;
    const line = trained.context().pictures ? undefined : prediction.input.line?.(reading);
    if (isAsked && line) return await answerTyped(trained, prediction, line);
    const sources = files ?? [await fromFirst(communicator, readInput)];
    const readsPictures = trained.context().pictures !== undefined;
    const { inputs, places, skipped } = await inputsOf(sources, prediction, reading, readsPictures);
    if (output !== undefined && prediction.output.files) {
      const answers: Answer[] = [];
      for await (const answer of trained.predict<unknown, Answer>(inputs, { reading })) answers.push(answer);
      return isFirst ? writeFiles(output, prediction.output.files(inputs, answers)) : undefined;
    }
    if (format?.ofSkipped && skipped > 0) console.error(format.ofSkipped);
    if (format && isFirst) await write(format.header);
    const table = flags.format === 'csv' ? new AnswerTable() : undefined;
    // In a table, ids and row numbers share one column.
    const hasIds = table !== undefined && inputs.some((input) => idOf(input) !== undefined);
    let answered = 0;
    for await (const answer of trained.predict<unknown>(inputs, { reading })) {
      if (!isFirst) continue;
      const [input, place] = [inputs[answered], places[answered]];
      if (format) await write(format.line(answer as object, input, place!));
      else {
        const said = prediction.output.json(answer as object, flags.logits ?? false, trained.labels);
        const named = { ...placeOf(input, place!, hasIds), ...said };
        for (const line of table?.lines(named) ?? [JSON.stringify(named)]) await write(line);
      }
      answered++;
    }
  } finally {
    await trained.close();
  }
}

/**
 * The row's id in the file. Without an id, the row's number among all rows, from 1. With `asId`, this number
 * is also named `id`.
 */
function placeOf(input: unknown, place: number, asId: boolean): { id: string } | { row: number } {
  const id = idOf(input) ?? (asId ? `${place + 1}` : undefined);
  return id === undefined ? { row: place + 1 } : { id };
}

function idOf(input: unknown): string | undefined {
  return (Object(input) as { id?: string }).id;
}

/** The task's own output format with this name; undefined for the formats that every task has. */
function formatNamed(name: string, { output: { formats = {} } }: Prediction<BaseData, unknown>) {
  if (EVERY.includes(name)) return undefined;
  if (Object.hasOwn(formats, name)) return formats[name];
  const names = [...EVERY, ...Object.keys(formats)];
  throw new UserError({ key: '--format', expected: `one of ${names.join(', ')}`, got: name });
}

async function write(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

/** The error for a missing file. If the path has spaces, the user may have meant a text. */
function noFile(where: string, path: string): UserError {
  const hint = `To classify a text, use standard input: echo "a text" | adalora predict ${path}`;
  return new UserError({ where, fault: 'does not exist', hint });
}

function noFiles(where: string, task: string | undefined): UserError {
  return new UserError({
    where,
    fault: `is a model for ${task}, which has no official format of answers`,
    hint: 'Remove --output.',
  });
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { atomicWrite } = await import('../../store/node/atomic-write.ts');
  for (const [name, content] of Object.entries(files)) atomicWrite(join(folder, name), content);
  console.log(`The predictions are in ${folder}`);
}

async function answerTyped(
  trained: OpenedModel,
  { output: { describe } }: Prediction<BaseData, unknown>,
  line: (text: string) => unknown,
): Promise<void> {
  const { askMessages } = await import('../terminal/ask-messages.ts');
  const answer = async (text: string) => {
    for await (const prediction of trained.predict<unknown>([line(text)]))
      console.log(describe(prediction, trained.labels));
  };
  console.error('Type a text, then an empty line. Ctrl-D quits.');
  await askMessages(answer, { input: process.stdin, output: process.stderr });
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { collect } from '../../../support/arrays.ts';
import { leaves } from '../../../support/options.ts';
import { editDistance, withoutControls } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import type { Answer, BaseData, Prediction } from '../../../tasks/prediction.ts';
import type { OpenedModel } from '../../../use/trained/opened-model.ts';
import { chooseSources, readInputs, withModel } from '../choose-inputs.ts';
import type { OpenFlags, Shard, SplitFlags } from '../flags.ts';
import { readInput } from '../standard-input.ts';
import { askMessages } from '../terminal/chat.ts';
import { write } from '../terminal/screen.ts';

/** Formats answers as lines of CSV (RFC 4180), with a column for each key that any of them has. */
export function* csvTable(answers: readonly object[]): Iterable<string> {
  const rows = answers.map((answer) => new Map(flat(answer)));
  const columns = new Set<string>();
  for (const row of rows) for (const name of row.keys()) columns.add(name);
  if (rows.length > 0) yield line([...columns]);
  for (const row of rows) yield line([...columns].map((name) => row.get(name) ?? ''));
}

/** Nested keys are joined to a column name: `probabilities.spam`. Lists of texts are joined by `;`. */
function flat(answer: object): [string, string][] {
  return leaves(answer).map(([key, value]) => {
    if (!Array.isArray(value)) return [key, `${value ?? ''}`];
    const isPlain = value.every((item) => typeof item !== 'object');
    return [key, isPlain ? value.join(';') : JSON.stringify(value)];
  });
}

/** Formats fields as a line of CSV (RFC 4180), without its end. */
function line(fields: readonly string[]): string {
  return fields
    .map(withoutControls)
    .map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(',');
}

/** Output formats of every task. */
const EVERY = ['jsonl', 'csv'];

interface Flags extends OpenFlags, SplitFlags {
  shard?: Shard;
  json?: boolean;
  logits?: boolean;
  format: string;
  output?: string;
  /** False with --no-text. Otherwise, the column of the texts. */
  text?: string | number | false;
}

export default async function run(path: string, file: string | undefined, flags: Flags): Promise<void> {
  await withModel(path, flags, {}, async (trained) => {
    const { prediction } = trained.definition();
    if (!prediction) throw trained.cannotPredict();
    const { output } = flags;
    if (output !== undefined && !prediction.output.files) throw noFiles(path, trained.task);
    const { medium, typed, sources, ...chosen } = await chooseSources(trained, file, flags, isText);
    const format = formatNamed(flags.format, prediction);
    const reading = { ...chosen.reading, ...format?.reading };
    const isAsked =
      file === undefined &&
      !sources &&
      output === undefined &&
      process.stdin.isTTY &&
      process.stdout.isTTY &&
      !flags.logits;
    const line = medium ? undefined : prediction.input.line?.(reading);
    if (isAsked && line) return await answerTyped(trained, prediction, line);
    if (typed !== undefined && !line) throw noText(typed, trained.task);
    if (typed !== undefined && output === undefined && process.stdout.isTTY && !flags.json && !flags.logits)
      return await answerText(trained, prediction, line!(typed));
    const read = async () => sources ?? [await readInput()];
    const { inputs, places, skipped } =
      typed === undefined
        ? await readInputs(await read(), prediction, reading, { medium, shard: flags.shard })
        : { inputs: [line!(typed)], places: [0], skipped: 0 };
    const isShown = flags.text !== false;
    if (output !== undefined && prediction.output.files) {
      const answers = await collect(trained.predict<unknown, Answer>(inputs, { reading }));
      return writeFiles(output, prediction.output.files(inputs, answers));
    }
    if (format?.ofSkipped && skipped > 0) console.error(format.ofSkipped);
    if (format?.header) await write(`${format.header}\n`);
    // A later row of a table may have other columns.
    const table: object[] | undefined = flags.format === 'csv' ? [] : undefined;
    // In a table, ids and row numbers share one column.
    const hasIds = table !== undefined && inputs.some((input) => readId(input) !== undefined);
    let answered = 0;
    for await (const answer of trained.predict<unknown>(inputs, { reading })) {
      const [input, place] = [inputs[answered], places[answered]];
      if (format) await write(`${format.line(answer as object, input, place!)}\n`);
      else {
        const said = prediction.output.json(answer as object, flags.logits ?? false, trained.labels);
        const named = { ...describePlace(input, place!, hasIds), ...(isShown && pickTexts(input)), ...said };
        if (table) table.push(named);
        else await write(`${JSON.stringify(named)}\n`);
      }
      answered++;
    }
    for (const line of csvTable(table ?? [])) await write(`${line}\n`);
  });
}

/**
 * The row's id in the file. Without an id, the row's number among all rows, from 1. With `asId`, this number
 * is also named `id`.
 */
function describePlace(input: unknown, place: number, asId: boolean): { id: string } | { row: number } {
  const id = readId(input) ?? (asId ? `${place + 1}` : undefined);
  return id === undefined ? { row: place + 1 } : { id };
}

/** The texts of an input, by the names that JSON Lines have. */
function pickTexts(input: unknown): { text?: string; text_pair?: string } {
  const { text, text_pair } = Object(input) as { text?: unknown; text_pair?: unknown };
  return {
    ...(typeof text === 'string' && { text }),
    ...(typeof text_pair === 'string' && { text_pair }),
  };
}

/** Whether an argument is a text to classify rather than the name of a file, which may be mistyped. */
function isText(argument: string): boolean {
  if (argument === '-' || existsSync(argument)) return false;
  if (/\s/.test(argument)) return true;
  const isLikeFile = () =>
    readdirSync('.').some(
      (name) => /[^.]\./.test(name) && editDistance(argument, name.replace(/\..*$/, '')) < 2,
    );
  return !/[./\\]/.test(argument) && !isLikeFile();
}

function readId(input: unknown): string | undefined {
  return (Object(input) as { id?: string }).id;
}

/** The task's own output format with this name; undefined for the formats that every task has. */
function formatNamed(name: string, { output: { formats = {} } }: Prediction<BaseData, unknown>) {
  if (EVERY.includes(name)) return undefined;
  if (Object.hasOwn(formats, name)) return formats[name];
  const names = [...EVERY, ...Object.keys(formats)];
  throw new UserError({ key: '--format', expected: `one of ${names.join(', ')}`, got: name });
}

function noText(text: string, task: string | undefined): UserError {
  return new UserError({
    where: JSON.stringify(text),
    fault: `is one text, and a model for ${task} needs more`,
    hint: 'Give a file of rows.',
  });
}

function noFiles(where: string, task: string | undefined): UserError {
  return new UserError({
    where,
    fault: `is a model for ${task}, which has no official format of answers`,
    hint: 'Remove --output.',
    code: 'unsupported',
  });
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) atomicWrite(join(folder, name), content);
  console.log(`The predictions are in ${folder}`);
}

/** Answers one input in words. */
async function answerText(
  trained: OpenedModel,
  { output: { describe } }: Prediction<BaseData, unknown>,
  input: unknown,
): Promise<void> {
  for await (const prediction of trained.predict<unknown>([input]))
    console.log(describe(prediction, trained.labels));
}

async function answerTyped(
  trained: OpenedModel,
  prediction: Prediction<BaseData, unknown>,
  line: (text: string) => unknown,
): Promise<void> {
  const answer = (text: string) => answerText(trained, prediction, line(text));
  console.error('Type a text, then an empty line. Ctrl-D quits.');
  await askMessages(answer, { input: process.stdin, output: process.stderr });
}

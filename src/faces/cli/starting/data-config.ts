import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { stringify } from 'yaml';
import { TEXT_NAME } from '../../../input/data/detect-format.ts';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import { DEFAULT_METHOD } from '../../../methods/tuners/registry.ts';
import { INPUT_KINDS } from '../../../program/modalities/input-kinds.ts';
import { counted, countedNoun } from '../../../studies/report/format.ts';
import { PROGRAM } from '../../../support/program.ts';
import { listed } from '../../../support/text.ts';
import { alikeLabels } from '../../../tasks/classes/labels.ts';
import { describeColumns, isScale, isText, splitLabels } from '../../../tasks/guess/columns.ts';
import { columnKey, type Guess, labelForm, usedRoles } from '../../../tasks/guess/guess-data.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import type { DataFile } from './read-data-file.ts';

/** A key of a config, with a comment. */
interface Line {
  key: string;
  value: string | number | readonly string[];
  comment?: string | undefined;
}

/** The keys of a config that are guessed from a file: those of the top level, and those of `data`. */
export function guessedKeys({ parts, table }: DataFile, guess: Guess): { top: Line[]; data: Line[] } {
  const { task, at, reason, separator } = guess;
  const { classes, data, training } = taskNamed(task);
  const { modelToTry } = training;
  const kind = table && at.text !== undefined && describeColumns(table)[at.text]!.files;
  const model: Line = {
    key: 'model',
    value: modelToTry ?? EMBEDDED_MODEL,
    comment: `${modelToTry === undefined ? '' : 'The built-in encoder does not support this task. '}A folder or an id on the Hub.`,
  };
  const top: Line[] = [
    { key: 'task', value: task, comment: reason },
    // The built-in encoder reads only texts.
    ...(kind ? [] : [model]),
    { key: 'method', value: DEFAULT_METHOD, comment: 'docs/methods.md describes all methods.' },
  ];
  const { test: _, ...chosenBy } = parts;
  const files: Line[] = Object.entries(chosenBy).map(([key, value]) => ({ key, value }));
  if (!table) return { top, data: files };
  const { columns, rows, hasHeader, joined, delimiter, ragged } = table;
  const used = Object.values(at);
  const others = columns.filter((_, i) => !used.includes(i));
  const unused = others.length > 0 && used.length > 0 ? `Not used: ${others.join(', ')}.` : undefined;
  const fields = at.label === undefined ? [] : rows.map((row) => row[at.label!]!.trim());
  const labels = fields.filter((field) => field !== '');
  // In a column of several labels, an empty field says that none applies.
  const unlabelled = labelForm(guess) === 'several' ? 0 : fields.length - labels.length;
  const bad = [
    ...(ragged > 0 ? [`${ragged} rows have another number of fields.`] : []),
    ...(unlabelled > 0 ? [`${unlabelled} ${unlabelled === 1 ? 'row has' : 'rows have'} no label.`] : []),
  ];
  const { shape } = data;
  const optional = (key: string, value: Line['value'] | undefined, comment?: string): Line[] =>
    value !== undefined && Object.hasOwn(shape, key) ? [{ key, value, comment }] : [];
  const largest = labels.reduce((most, label) => Math.max(most, Number(label)), 0);
  return {
    top,
    data: [
      ...files,
      ...usedRoles(guess).map((role, i): Line => {
        const place = at[role]!;
        const comment =
          role === 'label' && classes
            ? `${counted(new Set(labels).size)} different values in ${counted(rows.length)} rows.`
            : i === 0
              ? unused
              : undefined;
        const name = columns[place]!;
        const value = hasHeader === false ? place : (joined?.get(name) ?? name);
        return { key: columnKey(guess, role), value, comment };
      }),
      ...optional(
        'label_separator',
        separator === ';' ? undefined : separator,
        'A field has several labels.',
      ),
      ...optional('max_score', largest > 1 ? largest : undefined, 'Labels are divided by it.'),
      ...optional('delimiter', delimiter),
      ...optional('on_bad_row', bad.length > 0 ? 'skip' : undefined, bad.join(' ')),
    ],
  };
}

/**
 * A config to train on a file, with a comment for each choice.
 *
 * @param name the name of the config's file
 */
export function dataConfig(file: DataFile, guess: Guess, name: string): string {
  const { top, data } = guessedKeys(file, guess);
  const shown = ({ key, value, comment }: Line, indent: string) =>
    `${indent}${key}: ${stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd()}${comment ? `  # ${oneLine(comment)}` : ''}\n`;
  return [
    `# Trains a model to ${oneLine(guess.learns)}: npx ${PROGRAM} train ${oneLine(name)}\n`,
    '# Keys that are not set are chosen by rows and model when a run starts, which prints them: for example\n',
    '# data.validation (a file, a share such as 10%, or 3 folds) and training.num_train_epochs. See docs/config.md.\n',
    ...top.map((line) => shown(line, '')),
    shown({ key: 'output', value: `runs/${stem(file.path)}`, comment: 'folder of the run' }, ''),
    'data:\n',
    ...data.map((line) => shown(line, '  ')),
  ].join('');
}

export function stem(path: string): string {
  return basename(path).replace(/(?<=.)\.(gz|\w+)(\.gz)?$/i, '');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

const MAX_LISTED = 6;

const SEPARATED: Readonly<Record<string, string>> = {
  ',': ' separated by commas',
  ';': ' separated by semicolons',
  '|': ' separated by vertical bars',
  '\t': ' separated by tabs',
};

/** Describes the training data in a file and what is learned from it, in several lines. */
export function describeChoice({ path, table, notices }: DataFile, guess: Guess): string {
  const learns = `It is used to ${guess.learns} (task ${guess.task}: ${guess.reason}).`;
  if (!table) return [path, learns, ...notices].join('\n');
  const { rows, delimiter } = table;
  const columns = describeColumns(table);
  const { text_pair, label } = guess.at;
  const keys = usedRoles(guess);
  const width = Math.max(0, ...keys.map((role) => columnKey(guess, role).length));
  const lines = keys.map((role) => {
    const place = guess.at[role]!;
    const { name, length, files } = columns[place]!;
    const key = columnKey(guess, role).padEnd(width);
    const isNumber = isScale(columns[place]!) || labelForm(guess) === 'number';
    if (role === 'label')
      return `  ${key}  ${name}: ${isNumber ? describeRange(rows, place) : describeLabels(rows, place, guess)}`;
    if (files)
      return `  ${key}  ${name}: ${INPUT_KINDS[files].plural} such as "${fieldExcerpt(rows[0]![place]!)}"`;
    return `  ${key}  ${name}: ${Math.round(length)} characters on average, such as "${fieldExcerpt(rows[0]![place]!)}"`;
  });
  const unused = columns.filter(
    (column, i) =>
      !Object.values(guess.at).includes(i) &&
      isText(column) &&
      (column.length > 20 || TEXT_NAME.test(column.name)),
  );
  const names = listed(unused.map(({ name }) => `"${name}"`));
  return [
    `${path}: ${countedNoun(rows.length, 'row')}, ${countedNoun(columns.length, 'column')}${SEPARATED[delimiter ?? ''] ?? ''}`,
    ...lines,
    learns,
    ...(unused.length > 0 && text_pair === undefined && label !== undefined
      ? [`Not used: ${names}. To read a second text beside the first: --text-pair COLUMN`]
      : []),
    ...(label === undefined || labelForm(guess) === 'number'
      ? []
      : [
          ...alikeLabels(allLabels(rows, label, guess)),
          ...(labelForm(guess) === 'several' ? [] : unlabelled(rows, label)),
        ]),
    ...(guess.at.text === undefined ? [] : repeatsIn(rows, guess)),
    ...notices,
  ].join('\n');
}

function fieldExcerpt(field: string): string {
  const line = field.replace(/\s+/g, ' ').trim();
  return line.length > 50 ? `${line.slice(0, 49)}…` : line;
}

function describeRange(rows: readonly (readonly string[])[], label: number): string {
  const fields = rows.map((row) => row[label]!.trim()).filter((field) => field !== '');
  const sorted = Float64Array.from(fields, Number).sort();
  return `numbers from ${sorted[0]} to ${sorted.at(-1)}`;
}

/** All labels of all rows, including empty ones. */
function allLabels(rows: readonly (readonly string[])[], label: number, guess: Guess): string[] {
  const fields = rows.map((row) => row[label]!.trim());
  return labelForm(guess) === 'several'
    ? fields.flatMap((field) => splitLabels(field, guess.separator ?? ';'))
    : fields;
}

function describeLabels(rows: readonly (readonly string[])[], label: number, guess: Guess): string {
  const counts = new Map<string, number>();
  for (const name of allLabels(rows, label, guess)) counts.set(name, (counts.get(name) ?? 0) + 1);
  counts.delete('');
  const labels = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = labels.slice(0, MAX_LISTED).map(([name, count]) => `${fieldExcerpt(name)} ${counted(count)}`);
  const more = labels.length > MAX_LISTED ? `, and ${labels.length - MAX_LISTED} more` : '';
  return `${labels.length} labels: ${shown.join(', ')}${more}`;
}

/** Describes rows with an empty label. Training skips them. */
function unlabelled(rows: readonly (readonly string[])[], label: number): string[] {
  const count = rows.filter((row) => row[label]!.trim() === '').length;
  if (count === 0) return [];
  return [
    `${countedNoun(count, 'row')} ${count === 1 ? 'has no label and is' : 'have no label and are'} left out.`,
  ];
}

/** Describes duplicate texts, and how many of them have different labels. */
function repeatsIn(
  rows: readonly (readonly string[])[],
  { at: { text, text_pair, label } }: Guess,
): string[] {
  const seen = new Map<string, string>();
  let [again, other] = [0, 0];
  for (const row of rows) {
    const key = JSON.stringify([row[text!], row[text_pair ?? -1]]);
    const value = row[label ?? -1] ?? '';
    const before = seen.get(key);
    seen.set(key, before ?? value);
    if (before !== undefined) again++;
    if (before !== undefined && before !== value) other++;
  }
  if (again === 0) return [];
  const differ = other > 0 ? `, ${counted(other)} of them with another label` : '';
  return [`${counted(again)} ${again === 1 ? 'row repeats' : 'rows repeat'} an earlier text${differ}.`];
}

/** Maximum number of other guesses to print. */
const MAX_TOLD = 3;

interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

/**
 * The best guess. If several are plausible, asks the user in a terminal. Elsewhere, tells the flags that choose the
 * others.
 */
export async function chooseGuess(
  { path, guesses }: DataFile,
  terminal: Terminal,
  tell: (text: string) => void,
): Promise<Guess> {
  const [best, ...others] = guesses;
  if (others.length === 0) return best!;
  if (terminal.input.isTTY && terminal.output.isTTY) return ask(path, guesses, terminal);
  for (const { learns, flags } of others.slice(0, MAX_TOLD))
    tell(`It could also ${learns}. For that: ${flags}`);
  return best!;
}

/** Asks until the answer is the number of a guess. An empty answer accepts the first. */
async function ask(path: string, guesses: readonly Guess[], terminal: Terminal): Promise<Guess> {
  const asking = createInterface(terminal);
  try {
    const list = guesses.map(({ learns }, i) => `  ${i + 1}  ${learns}`);
    terminal.output.write(`${path} can be used in several ways:\n${list.join('\n')}\n`);
    for (;;) {
      const answer = (await asking.question('Which one? [1] ')).trim();
      const chosen = guesses[answer === '' ? 0 : Number(answer) - 1];
      if (chosen) return chosen;
    }
  } finally {
    asking.close();
  }
}

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { parseSlice } from '../../../input/data/data-parts.ts';
import { localData } from '../../../input/data/node/text-files.ts';
import { readText } from '../../../input/formats/files.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { yamlDocument } from '../../../input/formats/yaml-document.ts';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import { MEDIA } from '../../../input/media/media.ts';
import { DEFAULT_METHOD } from '../../../methods/tuners/registry.ts';
import { readLaunch } from '../../../program/parallel/launch.ts';
import { counted, countedNoun } from '../../../studies/report/format.ts';
import { defined } from '../../../support/options.ts';
import { PROGRAM } from '../../../support/program.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { alikeLabels } from '../../../tasks/classes/labels.ts';
import { isScale, splitLabels } from '../../../tasks/guess/columns.ts';
import { type Given, type Guess, listKeys } from '../../../tasks/guess/guess-data.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { schemaLine } from '../config-path.ts';
import { type KeyOptions, keySettings } from '../key-options.ts';
import { MAX_CONFIG_BYTES, readConfig, readConfigText } from '../load-config.ts';
import { withOwnMethods } from '../own-methods.ts';
import { readInput } from '../standard-input.ts';
import { shellQuoted } from '../terminal/plain-text.ts';
import {
  type DataFile,
  dropSlice,
  findTestSet,
  freePath,
  partsIn,
  readDataFile,
  saveInput,
} from './read-data-file.ts';

/** A config for a data file. */
interface DataConfig {
  /** Its file, which may not exist yet. */
  name: string;
  isNew: boolean;
  text: string;
  /** Settings of this run only. */
  set: string[];
  /** The test set beside its training rows. It is scored at the end. */
  test: string | undefined;
}

/**
 * Returns the config for training on a data file: the existing one, or a new one. Flags are settings of this run only,
 * except those that a new config needs to describe the file: `--task` and the columns.
 *
 * @param tell prints a line to the user
 * @throws UserError for a file that a model cannot be trained on, and for wrong flags
 */
export async function configForData(
  { path, options, resume }: { path: string; options: KeyOptions; resume?: boolean | undefined },
  tell: (text: string) => void,
): Promise<DataConfig> {
  if (readLaunch(process.env)) {
    const hint = `Write its config first: ${PROGRAM} init ${path}`;
    throw new UserError({ where: path, fault: 'is a file of rows; several processes need a config', hint });
  }
  const rows = path === '-' ? await savedInput(tell) : path;
  const name = configName(rows, tell);
  const isNew = !existsSync(name);
  if (!isNew) tell(`Using the existing ${name}. To have the columns of ${rows} chosen again, delete it.`);
  if (!isNew && Object.keys(defined({ ...givenBy(options), task: undefined })).length > 0) {
    const hint = `Edit data in ${name}, or delete ${name} to have the columns chosen again.`;
    throw new UserError({ where: name, fault: 'names the columns already, so no flags can', hint });
  }
  const set = keySettings(options);
  const text = isNew ? await newConfig(rows, name, options, tell) : readConfig(name).text();
  const { value, where } = await withOwnMethods(readConfigText(text, name, set));
  if (value.model === undefined && (isNew || statSync(dropSlice(rows)).isDirectory()))
    throw needsMediumModel(path, dropSlice(rows));
  const { output, data } = parseRunConfig(value, where);
  if (set.length > 0) tell(`Flags apply to this run only. To keep a setting, write it in ${name}.`);
  const runs = runsAfter(output);
  const train = dropSlice(partsIn(rows).train);
  const newest = runs.filter((run) => trainedOn(join(run, 'config.yaml')) === train).at(-1) ?? output;
  const chosen = resume ? newest : runs.length > 0 ? freePath(output) : output;
  if (chosen !== output) {
    tell(
      resume
        ? `Resuming ${chosen}.`
        : `${output} contains an earlier run, so this run is written to ${chosen}.`,
    );
    set.push(`output=${JSON.stringify(chosen)}`);
  }
  return { name, isNew, text, set, test: await findTestSet(rows, data.train) };
}

/**
 * The text of a new config, whose comments describe the file. Prints it, and the second guess if it is near.
 *
 * @throws UserError for a file that a model cannot be trained on, and for wrong columns or tasks
 */
export async function newConfig(
  path: string,
  name: string,
  options: KeyOptions,
  tell: (text: string) => void,
): Promise<string> {
  const file = await readDataFile(path, givenBy(options));
  const [guess, other] = file.guesses;
  const lines = configLines(file, guess!);
  tell(printable([...lines, ...file.notices].join('\n')));
  if (other) tell(printable(`It could also ${other.learns}. For that: ${other.flags}`));
  return [
    `${schemaLine(dirname(name))}# Trains a model to ${oneLine(guess!.learns)}: npx ${PROGRAM} train ${oneLine(name)}`,
    '# Keys that are not set are chosen by rows and model when a run starts, which prints them: for example',
    '# data.validation (a file, a share such as 10%, or 3 folds) and training.num_train_epochs. See docs/config.md.',
    ...lines,
    '',
  ].join('\n');
}

/** The lines of a config, with a comment for each choice. */
function configLines(file: DataFile, guess: Guess): string[] {
  const { modelToTry } = taskNamed(guess.task).training;
  const hasFiles = guess.at.text !== undefined && file.columns?.[guess.at.text]?.files !== undefined;
  const support = modelToTry === undefined ? '' : 'The built-in encoder does not support this task. ';
  const line = (key: string, value: Line['value'], comment?: string) =>
    `${key}: ${stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd()}${comment ? `  # ${oneLine(comment)}` : ''}`;
  return [
    line('task', guess.task, guess.reason),
    // The built-in encoder reads only texts.
    ...(hasFiles
      ? []
      : [line('model', modelToTry ?? EMBEDDED_MODEL, `${support}A folder or an id on the Hub.`)]),
    line('method', DEFAULT_METHOD, 'docs/methods.md describes all methods.'),
    line('output', `runs/${stem(file.path)}`, 'folder of the run'),
    'data:',
    ...dataLines(file, guess).map(({ key, value, comment }) => `  ${line(key, value, comment)}`),
  ];
}

/** A key of the `data` section, with a comment. */
interface Line {
  key: string;
  value: string | number | readonly string[];
  comment?: string | undefined;
}

function dataLines({ parts, table, columns = [] }: DataFile, guess: Guess): Line[] {
  const rows = table ? countedNoun(table.rows.length, 'row') : undefined;
  const { test: _, ...chosenBy } = parts;
  const files = Object.entries(chosenBy).map(
    ([key, value]): Line => ({ key, value, comment: key === 'train' ? rows : undefined }),
  );
  if (!table) return files;
  const { shape } = taskNamed(guess.task).data;
  const optional = (key: string, value: Line['value'] | undefined, comment?: string): Line[] =>
    value !== undefined && Object.hasOwn(shape, key) ? [{ key, value, comment }] : [];
  const label = columns[guess.at.label ?? -1];
  // In a column of several labels, an empty field says that none applies.
  const isList = taskNamed(guess.task).guess?.labels === 'several';
  const unlabeled = label && !isList ? table.rows.length - label.filled : 0;
  const bad = [
    ...(table.ragged > 0 ? [`${table.ragged} rows have another number of fields.`] : []),
    ...(unlabeled > 0 ? [`${unlabeled} ${unlabeled === 1 ? 'row has' : 'rows have'} no label.`] : []),
  ];
  return [
    ...files,
    ...listKeys(guess).map(({ key, role, at }): Line => {
      const { name, length } = columns[at]!;
      const excerpt = cut(oneLine(table.rows[0]![at]!).trim());
      const comment =
        role === 'label'
          ? describeLabels(
              table.rows.map((row) => row[at]!.trim()),
              guess,
              isScale(columns[at]!),
            )
          : `${Math.round(length)} characters on average, such as "${excerpt}"`;
      const value = table.hasHeader === false ? at : (table.joined?.get(name) ?? name);
      return { key, value, comment };
    }),
    ...optional('label_separator', guess.separator === ';' ? undefined : guess.separator),
    ...optional(
      'max_score',
      label?.isNumeric && label.range[1] > 1 ? label.range[1] : undefined,
      'Labels are divided by it.',
    ),
    ...optional('delimiter', table.delimiter),
    ...optional('on_bad_row', bad.length > 0 ? 'skip' : undefined, bad.join(' ')),
  ];
}

const MAX_LISTED = 6;

function describeLabels(
  labels: readonly string[],
  { separator = ';', task }: Guess,
  isNumber: boolean,
): string {
  const fields = labels.filter((label) => label !== '');
  if (isNumber) {
    const sorted = Float64Array.from(fields, Number).sort();
    return `numbers from ${sorted[0]} to ${sorted.at(-1)}`;
  }
  const form = taskNamed(task).guess?.labels;
  const counts = new Map<string, number>();
  for (const name of form === 'several' ? fields.flatMap((field) => splitLabels(field, separator)) : fields)
    counts.set(name, (counts.get(name) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, MAX_LISTED).map(([name, count]) => `${cut(name)} ${counted(count)}`);
  const more = sorted.length > MAX_LISTED ? `, and ${sorted.length - MAX_LISTED} more` : '';
  const notices = alikeLabels(counts.keys());
  const listed = `${sorted.length} labels: ${shown.join(', ')}${more}`;
  return notices.length > 0 ? `${listed}. ${notices.join(' ')}` : listed;
}

function cut(text: string): string {
  return text.length > 50 ? `${text.slice(0, 49)}…` : text;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** The name of a file or folder without its extensions. */
export function stem(path: string): string {
  const { value } = parseSlice(path) ?? {};
  if (value !== undefined) return `${stem(dropSlice(path))}-${basename(value)}`;
  return basename(resolve(path)).replace(/(?<=.)\.(gz|\w+)(\.gz)?$/i, '');
}

function givenBy({ task, text, textPair, label }: KeyOptions): Given {
  return { task, text, text_pair: textPair, label };
}

async function savedInput(tell: (text: string) => void): Promise<string> {
  const path = saveInput(await readInput());
  tell(`Standard input is saved as ${path}.`);
  return path;
}

/** The name of the config for a file: the first one that does not exist, or is a config for this file. */
function configName(path: string, tell: (text: string) => void): string {
  const name = (number: number) => `${stem(path)}${number === 1 ? '' : `-${number}`}.yaml`;
  let number = 1;
  while (existsSync(name(number)) && trainedOn(name(number)) !== dropSlice(partsIn(path).train)) number++;
  if (number > 1) tell(`${name(number - 1)} is not a config for ${path}, so its config is ${name(number)}.`);
  return name(number);
}

/** The file that a config trains on, whole or a slice of it. Undefined for other YAML. A syntax error elsewhere in the config does not matter. */
function trainedOn(name: string): unknown {
  if (!existsSync(name)) return undefined;
  const document = yamlDocument(readText(disk, name, 'a config file', MAX_CONFIG_BYTES));
  const train = document.getIn(['data', 'train']);
  return typeof train === 'string' ? dropSlice(train) : undefined;
}

/** The folder of a run and those of later runs of the same config, as far as they exist and have files. */
function runsAfter(output: string): string[] {
  const runs: string[] = [];
  for (let number = 1; ; number++) {
    const run = `${output}${number === 1 ? '' : `-${number}`}`;
    if (!existsSync(run) || readdirSync(run).length === 0) return runs;
    runs.push(run);
  }
}

/**
 * The error for rows that name files without a model: names models with their cost.
 *
 * @param rows the folder with the files, or their table
 */
function needsMediumModel(path: string, rows: string): UserError {
  const command = (model: string) => `  ${shellQuoted([PROGRAM, 'train', path, '--model', model])}`;
  const isFolder = statSync(rows).isDirectory();
  const media = MEDIA.filter((medium) => !isFolder || localData.mediaIn(rows, medium).length > 0);
  const hints = media.map(({ name: medium, models: { kind, examples } }) => {
    const lines = examples.map(
      ({ name, parameters, megabytes, seconds }) =>
        `${command(name)}\n    ${parameters} million parameters, ${megabytes} MB to download, about ${seconds} s per ${medium} and epoch on two cores`,
    );
    return `Name ${kind}:\n${lines.join('\n')}`;
  });
  return new UserError({
    where: path,
    fault: `has ${media.map(({ plural }) => plural).join(' or ')}, which the built-in model does not read`,
    hint: hints.join('\n'),
  });
}

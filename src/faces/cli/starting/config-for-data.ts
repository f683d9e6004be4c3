import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { dataFiles } from '../../../input/data/node/text-files.ts';
import { parseSlice } from '../../../input/data/table/row-slice.ts';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { DEFAULT_METHOD } from '../../../methods/tuners/registry.ts';
import { VISION_MODELS } from '../../../program/modalities/pictures.ts';
import { readLaunch } from '../../../program/parallel/launch.ts';
import { defined, isObject } from '../../../support/options.ts';
import { PROGRAM } from '../../../support/program.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { columnKeys, type Given } from '../../../tasks/guess/guess-data.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { describeFolder } from '../../../use/trained/node/load-model.ts';
import { schemaLine } from '../config-path.ts';
import { type KeyOptions, keySettings } from '../key-options.ts';
import { readConfig, readConfigText } from '../load-config.ts';
import { shellQuoted } from '../terminal/plain-text.ts';
import { chooseGuess, dataConfig, describeChoice, guessedKeys, stem } from './data-config.ts';
import { type DataFile, findTest, freePath, partsIn, readDataFile, saveInput } from './read-data-file.ts';

/** A file to train on, and what the user says about it. */
export interface DataRequest {
  path: string;
  options: KeyOptions;
  resume?: boolean | undefined;
}

/** A config for a data file. */
export interface DataConfig {
  /** Its file. */
  name: string;
  text: string;
  /** Settings that override it and are not part of it. */
  set: string[];
  /** The test set beside its training rows. It is scored at the end. */
  test?: string | undefined;
}

/**
 * Returns the config for training on a data file. An existing one is used, with the changes that flags or the file's
 * columns require.
 *
 * @param tell prints a line to the user
 * @throws UserError for a file that a model cannot be trained on
 */
export async function configForData(
  { path, options, resume }: DataRequest,
  tell: (text: string) => void,
): Promise<DataConfig> {
  if (readLaunch(process.env)) {
    const hint = `Write its config first: ${PROGRAM} init ${path}`;
    throw new UserError({ where: path, fault: 'is a file of rows; several processes need a config', hint });
  }
  const rows = path === '-' ? await savedInput(tell) : path;
  const name = configName(rows, tell);
  const isNew = !existsSync(name);
  const text = await (isNew ? newConfig : existingConfig)(rows, name, options, tell);
  const set: string[] = [];
  const { output, model, data } = readConfigText(text, name).value;
  const test = await findTest(rows, Object(data).train);
  // A new config names a model, unless its rows are pictures.
  if (isNew && model === undefined) throw await needsVisionModel(path);
  if (!resume && typeof output === 'string' && isInUse(output)) {
    const free = freePath(output);
    tell(`${output} contains an earlier run, so this run is written to ${free}.`);
    set.push(`output=${JSON.stringify(free)}`);
  }
  return { name, text, set, test };
}

/**
 * Writes a config, unless its file has this text already. The settings of flags that it keeps are printed, because later
 * runs have them too.
 *
 * @param tell prints a line to the user
 */
export function writeConfig(
  { name, text }: Pick<DataConfig, 'name' | 'text'>,
  tell: (text: string) => void,
): void {
  const before = existsSync(name) ? readConfig(name) : undefined;
  const now = readConfigText(text, name);
  if (before?.text() === now.text()) return;
  atomicWrite(name, text);
  const known = before ? settingsIn(before.value) : [];
  const kept = settingsIn(now.value).filter((setting) => !known.includes(setting));
  const keeps = kept.length > 0 ? `, which keeps ${kept.join(', ')} for later runs` : '';
  tell(printable(`${before ? 'Changed' : 'Written'}: ${name}${keeps}`));
}

/**
 * The text of a new config.
 *
 * @throws UserError for a file that a model cannot be trained on, and for wrong flags
 */
export async function newConfig(
  path: string,
  name: string,
  options: KeyOptions,
  tell: (text: string) => void,
): Promise<string> {
  const file = await readDataFile(path, givenBy(options));
  const guess = await chosen(file, tell);
  const bare = `${schemaLine(dirname(name))}${dataConfig(file, guess, name)}`;
  return checked(bare, name, options);
}

/** The text of an existing config, changed by flags, and repaired if its columns are not those of the file. */
async function existingConfig(
  path: string,
  name: string,
  options: KeyOptions,
  tell: (text: string) => void,
): Promise<string> {
  const existing = readConfig(name);
  const data = existing.value.data as Record<string, unknown>;
  const given = givenBy(options);
  const isAsked = Object.values(given).some((value) => value !== undefined);
  const fault = isAsked ? undefined : await findFault(existing.text(), name);
  if (!isAsked && fault === undefined) {
    const kept = settingsIn(existing.value);
    tell(`Using the existing ${name}${kept.length > 0 ? `, which sets ${kept.join(', ')}` : ''}.`);
    return checked(existing.text(), name, options);
  }
  if (fault !== undefined) tell(`${name} does not fit ${path}, so its columns are chosen again. ${fault}`);
  // Columns that the user has written and not overridden stay.
  const { text, text_pair, label } = data;
  const named = Object.values(given);
  const kept = Object.entries({ text, text_pair, label }).filter(
    ([, column]) => !Array.isArray(column) && !named.includes(column as string),
  );
  const before = fault === undefined && given.task === undefined ? (Object.fromEntries(kept) as Given) : {};
  const file = await readDataFile(path, { ...before, ...defined(given) });
  const guess = await chosen(file, tell);
  const { top, data: keys } = guessedKeys(file, guess);
  const { model = EMBEDDED_MODEL } = existing.value;
  const hasOwnModel = model !== EMBEDDED_MODEL;
  const mayBeGuessed = [...columnKeys(), 'label_separator', 'max_score', 'delimiter', 'on_bad_row'];
  const settings = [
    ...mayBeGuessed.filter((key) => data[key] !== undefined).map((key) => `data.${key}=`),
    ...top
      .filter(({ key }) => key === 'task' || (key === 'model' && !hasOwnModel))
      .map(({ key, value }) => `${key}=${JSON.stringify(value)}`),
    ...keys.map(({ key, value }) => `data.${key}=${JSON.stringify(value)}`),
  ];
  return checked(readConfigText(existing.text(), name, settings).text(), name, options);
}

async function chosen(file: DataFile, tell: (text: string) => void) {
  const terminal = { input: process.stdin, output: process.stderr };
  const others: string[] = [];
  const guess = await chooseGuess(file, terminal, (line) => others.push(line));
  tell(printable([describeChoice(file, guess), ...others].join('\n')));
  return guess;
}

/**
 * Applies flags to a config and checks the result, including the rows.
 *
 * @throws UserError for what would stop a run at its start
 */
async function checked(bare: string, name: string, options: KeyOptions): Promise<string> {
  const config = readConfigText(bare, name, keySettings(options));
  await checkRows(parseRunConfig(config.value, config.where));
  return config.text();
}

/** The error of a config and its rows, if they have one. */
async function findFault(text: string, name: string): Promise<string | undefined> {
  try {
    await checked(text, name, { set: [] });
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

async function checkRows({ task, data }: ReturnType<typeof parseRunConfig>): Promise<void> {
  const { files } = taskNamed(task);
  if (data.dataset === undefined && typeof data.train === 'string')
    files.read(await dataFiles(data.train, files.takesFolders), data);
}

function givenBy({ task, text, textPair, label }: KeyOptions): Given {
  return { task, text, text_pair: textPair, label };
}

/** The settings of a config beyond those that a guess makes, such as `training.learning_rate: 0.01`. */
function settingsIn(value: Record<string, unknown>): string[] {
  const usual: Readonly<Record<string, unknown>> = { model: EMBEDDED_MODEL, method: DEFAULT_METHOD };
  const told = Object.entries(value).filter(
    ([key, inner]) => !['task', 'output', 'data'].includes(key) && inner !== usual[key],
  );
  return told.flatMap(([key, inner]) =>
    isObject(inner)
      ? Object.entries(inner).map(([name, one]) => `${key}.${name}: ${JSON.stringify(one)}`)
      : [`${key}: ${JSON.stringify(inner)}`],
  );
}

async function savedInput(tell: (text: string) => void): Promise<string> {
  const { readInput } = await import('../standard-input.ts');
  const path = saveInput(await readInput());
  tell(`Standard input is saved as ${path}.`);
  return path;
}

/** The name of the config for a file: the first one that does not exist, or is a config for this file. */
function configName(path: string, tell: (text: string) => void): string {
  const taken: string[] = [];
  const isFor = (data: unknown) => {
    const { train } = Object(data) as { train?: unknown };
    const file = typeof train === 'string' ? parseSlice(train)?.path : undefined;
    return (file ?? train) === partsIn(path).train;
  };
  for (let number = 1; ; number++) {
    const name = `${stem(path)}${number === 1 ? '' : `-${number}`}.yaml`;
    const isFree = !existsSync(name) || isFor(readConfig(name).value.data);
    if (isFree && taken.length > 0)
      tell(`${taken.join(', ')}: for other data, so the config of ${path} is ${name}.`);
    if (isFree) return name;
    taken.push(name);
  }
}

function isInUse(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** The error for pictures without a model: names models with their cost, and those that need no download. */
async function needsVisionModel(path: string): Promise<UserError> {
  const command = (model: string) => `  ${shellQuoted([PROGRAM, 'train', path, '--model', model])}`;
  const lines = VISION_MODELS.map(
    ({ name, parameters, megabytes, seconds }) =>
      `${command(name)}\n    ${parameters} million parameters, ${megabytes} MB to download, about ${seconds} s per picture and epoch on two cores`,
  );
  const cached = await cachedVisionModels();
  const offline =
    cached.length === 0 ? '' : `\nWithout a download, from the cache:\n${cached.map(command).join('\n')}`;
  return new UserError({
    where: path,
    fault: 'has pictures, which the built-in model does not read',
    hint: `Name a vision transformer:\n${lines.join('\n')}${offline}`,
  });
}

/** Models of pictures in the cache of the Hub that are complete. */
async function cachedVisionModels(): Promise<string[]> {
  const cache = hub.cacheFolder;
  const found: string[] = [];
  for (const name of hub.cachedModels(cache)) {
    const snapshot = hub.findSnapshot(cache, { name, revision: 'main' });
    if (!snapshot?.inputs) continue;
    // The cache has models of any kind, also damaged ones.
    const described = await describeFolder(snapshot.folder).catch(() => undefined);
    if (described?.family.config.picture) found.push(name);
  }
  return found;
}

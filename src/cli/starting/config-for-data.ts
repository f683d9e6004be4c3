import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { partsOf } from '../../data/node/picture-folder.ts';
import { launchOf } from '../../parallel/node/launch.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import { printable } from '../../support/printable.ts';
import { PROGRAM } from '../../support/program.ts';
import { UserError } from '../../support/user-error.ts';
import { readConfig } from '../load-config.ts';
import { schemaLine } from '../schema-line.ts';
import { type ChosenColumns, type ColumnFlags, chooseColumns } from './choose-columns.ts';
import { dataConfig, stem } from './data-config.ts';
import { describeChoice } from './describe-choice.ts';
import { type DataFile, freePath, isPictureFolder, readDataFile } from './read-data-file.ts';

/**
 * Returns the config for training on a data file. Writes it, unless an earlier call has written it.
 *
 * @param tell prints a line to the user
 * @returns the config's path in `configFile`, and settings that override it
 * @throws UserError for a file that a model cannot be trained on
 */
export async function configForData(
  path: string,
  { resume, set, ...flags }: ColumnFlags & { resume?: boolean; set: readonly string[] },
  tell: (text: string) => void,
): Promise<{ configFile: string; set: string[] }> {
  if (launchOf(process.env)) {
    const hint = `Write its config first: ${PROGRAM} init ${path}`;
    throw new UserError({ where: path, fault: 'is a file of rows; several processes need a config', hint });
  }
  const name = `${stem(path)}.yaml`;
  const settings = [...set];
  if (existsSync(name)) {
    const { data } = readConfig(name).value as { data?: { train?: unknown } };
    if (data?.train !== path && data?.train !== (isPictureFolder(path) ? partsOf(path).train : path)) {
      const hint = `Train with it (${PROGRAM} train ${name}), or rename it.`;
      throw new UserError({ where: name, fault: `is not a config for ${path}`, hint });
    }
    tell(`Using the existing ${name}.`);
    for (const [key, column] of Object.entries({
      text: flags.text,
      text_pair: flags.textPair,
      label: flags.label,
    }))
      if (column !== undefined) settings.push(`data.${key}=${column}`);
  } else await writeDataConfig(path, name, flags, tell);
  const { output } = readConfig(name, settings).value;
  if (!resume && typeof output === 'string' && isInUse(output)) {
    const free = freePath(output);
    tell(`${output} contains an earlier run, so this run is written to ${free}.`);
    settings.push(`output=${free}`);
  }
  return { configFile: name, set: settings };
}

export async function writeDataConfig(
  path: string,
  name: string,
  flags: ColumnFlags,
  tell: (text: string) => void,
): Promise<void> {
  const file = await readDataFile(path);
  const chosen = await chooseColumns(file, flags, { input: process.stdin, output: process.stderr });
  tell(printable(describeChoice(file, chosen)));
  assertClasses(file, chosen);
  const isAsked = process.stdin.isTTY && process.stderr.isTTY;
  const doubts = file.guess.doubts.filter((doubt) => flags[doubt] === undefined);
  if (!isAsked && doubts.length > 0)
    tell(`The ${doubts.join(' and the ')} column is a guess. To name it: --text COLUMN --label COLUMN`);
  atomicWrite(name, `${schemaLine(dirname(name))}${dataConfig(file, chosen, name)}`);
  tell(`Written: ${printable(name)}`);
}

/** Rejects labels that are all equal, because a model cannot learn from them. */
function assertClasses({ path, table, columns, guess }: DataFile, { label }: ChosenColumns): void {
  const [first, ...others] = table.rows.map((row) => row[label]!.trim()).filter((name) => name !== '');
  if (others.some((other) => other !== first) || (guess.isScale && label === guess.label)) return;
  throw new UserError({
    where: path,
    fault: `has ${first === undefined ? 'no label' : `only the label "${first}"`} in column "${columns[label]!.name}", which is not enough to train a classifier`,
    hint: `Add rows with another label, or name the column of labels: --label COLUMN (${columns.map(({ name }) => name).join(', ')}).`,
  });
}

function isInUse(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

import { type Command, Option } from 'commander';
import { nearest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { addReadingFlags, KEY_FLAGS, keyOption, number, repeated } from './flags.ts';

/** Flags of commands that read a config, or a data file for which a config is written. */
export interface KeyOptions {
  set: string[];
  text?: string | number;
  textPair?: string | number;
  label?: string | number;
  task?: string;
}

/** Adds `--set` and the flags of {@link KEY_FLAGS}, or of some keys. */
export function addKeyOptions(command: Command, keys?: readonly string[]): Command {
  command.option(
    '--set <key=value>',
    'set any key, as in --set training.weight_decay=0.01 (repeatable)',
    repeated,
    [],
  );
  for (const [key, [, , parsed]] of Object.entries(KEY_FLAGS)) {
    if (keys && !keys.includes(key)) continue;
    const option = keyOption(key);
    // Only numbers are parsed. Their digits become a part of a config.
    command.addOption(parsed ? option.argParser(numeral) : option);
  }
  return command;
}

/** Adds the flags of {@link addKeyOptions}, and those that name the columns of a data file. */
export function addConfigOptions(command: Command): Command {
  return addReadingFlags(addKeyOptions(command), ['text', 'text_pair', 'label']);
}

/** The settings that flags stand for, as `--set` has them. Flags of {@link KEY_FLAGS} come first. */
export function keySettings(options: KeyOptions): string[] {
  const values = options as unknown as Record<string, string | undefined>;
  const flagged = Object.entries(KEY_FLAGS).flatMap(([key, [flag, , parsed]]) => {
    const value = values[new Option(flag).attributeName()];
    // Settings are parsed as YAML. Without quotes, a name such as 1e3 would become a number.
    return value === undefined ? [] : [`${key}=${parsed ? value : JSON.stringify(value)}`];
  });
  return [...flagged, ...options.set];
}

/** @throws UserError for flags that name columns, because a config names them itself */
export function assertNoColumns(options: KeyOptions): void {
  const [flag] = (['text', 'textPair', 'label'] as const).filter((name) => options[name] !== undefined);
  if (flag === undefined) return;
  const key = flag === 'textPair' ? 'text_pair' : flag;
  const hint = `In a config, set data.${key}, or use --set data.${key}=COLUMN.`;
  throw new UserError({
    key: `--${key.replace('_', '-')}`,
    fault: 'applies to a data file, not to a config',
    hint,
  });
}

/** The flag that sets a key: its own one, or `--set`. */
function flagOfKey(key: string): string {
  return Object.hasOwn(KEY_FLAGS, key) ? `${keyOption(key).long} VALUE` : `--set ${key}=VALUE`;
}

/** Finds the key that an unknown flag probably means, and returns the flag that sets it. */
export async function flagFor(unknown: string, command: Command): Promise<string | undefined> {
  const { knownKeys } = await import('../../training/run/config/run-config.ts');
  const { DEFAULT_TASK } = await import('../../tasks/registry.ts');
  const { COMPARISON_KEYS } = await import('../../studies/experiments/comparison-file.ts');
  const own = command.name() === 'compare' ? COMPARISON_KEYS : [];
  const keys = [
    ...own.map((name) => ({ name, key: name })),
    ...Object.entries(knownKeys(DEFAULT_TASK)).flatMap(([section, names]) =>
      names.map((name) => ({ name, key: section === '' ? name : `${section}.${name}` })),
    ),
  ];
  const name = unknown
    .replace(/^-+(no-)?/, '')
    .replace(/=.*/s, '')
    .replaceAll('-', '_');
  const [near] = nearest(
    name,
    keys.map((each) => each.name),
  );
  const exact = keys.find((each) => each.name === name) ?? keys.find((each) => each.name === near);
  const flag = exact && flagOfKey(exact.key);
  const [named] = /^--[\w-]+/.exec(flag ?? '') ?? [];
  return command.options.some(({ long }) => long === named) ? flag : exact && `--set ${exact.key}=VALUE`;
}

/** Checks a number, and keeps its text. */
function numeral(value: string): string {
  number(value);
  return value;
}

import { isObject } from '../../../support/options.ts';
import { InvalidConfig, type KeyPath, UserError } from '../../../support/user-error.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { describeIssue, type KnownKeys } from './describe-issue.ts';
import { fillInDefaults } from './fill-in-defaults.ts';
import type { ParsedConfig, RunConfig } from './run-config.ts';
import { knownKeys, runSchema } from './run-schema.ts';
import { ConfigError, soundConfig } from './sound-config.ts';
import { crossCheck } from './training-problems.ts';

/**
 * Checks a config and fills in the defaults, except those that depend on the rows and the model (`resolve-config.ts`). A known key with the
 * value null counts as missing. A resolved config stays unchanged.
 *
 * @param where the file's name for messages, or a function that returns the place of a key
 * @param ownMetrics names of custom scores, which may select the best model
 * @throws ConfigError, a UserError with one line per problem: place, expected value, actual value, nearest known key
 */
export function parseRunConfig(
  value: { defaults: 'huggingface'; [key: string]: unknown },
  where: string | ((path: KeyPath) => string),
  ownMetrics?: readonly string[],
): RunConfig;
export function parseRunConfig(
  value: unknown,
  where: string | ((path: KeyPath) => string),
  ownMetrics?: readonly string[],
): ParsedConfig;
export function parseRunConfig(
  value: unknown,
  where: string | ((path: KeyPath) => string),
  ownMetrics: readonly string[] = [],
): ParsedConfig {
  assertShallow(value, typeof where === 'string' ? where : where([]));
  const schema = runSchema();
  const task = schema.shape.task.safeParse(Object(value).task ?? undefined).data;
  const known = knownKeys(task);
  const config = withoutNulls(value, known);
  const checked = task ? schema.extend({ data: taskNamed(task).data }) : schema;
  const result = checked.safeParse(config);
  const sound = soundConfig(config, task);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, config, known)),
    ...crossCheck(sound, ownMetrics),
  ];
  if (problems.length > 0 || !result.success) {
    const messages = problems.map(({ path, ...complaint }) => {
      const place = typeof where === 'string' ? where : where(path);
      const key = path.length === 0 ? 'config' : path.join('.');
      return new UserError({ where: place, key, ...complaint }).message;
    });
    throw new ConfigError(messages.join('\n'), sound);
  }
  return fillInDefaults(result.data, config, ownMetrics);
}

/** No config has more sections inside each other. */
const MAX_DEPTH = 20;

/** @throws UserError for sections inside each other without end, such as an object of a program that contains itself */
export function assertShallow(value: unknown, where: string, path: readonly string[] = []): void {
  if (!isObject(value)) return;
  const fault = 'is nested too deeply, or contains itself';
  if (path.length > MAX_DEPTH) throw new InvalidConfig({ where, key: path[0]!, fault });
  for (const [key, inner] of Object.entries(value)) assertShallow(inner, where, [...path, key]);
}

/**
 * A config without the keys that are null. A key that its section does not have stays, so that it is reported: YAML
 * reads `{target_r:8}` as such a key.
 */
function withoutNulls(value: unknown, known: KnownKeys, section = ''): unknown {
  if (!isObject(value)) return value;
  const keys = known[section];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null || (keys && !keys.includes(key)))
      .map(([key, inner]) => [key, withoutNulls(inner, known, section === '' ? key : `${section}.${key}`)]),
  );
}

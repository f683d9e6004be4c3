import { parseRunConfig } from '../../run/config/parse-run-config.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import { type KeyPath, shown } from '../../support/problem.ts';
import { UserError } from '../../support/user-error.ts';
import { DEFAULT_METHOD, METHOD_NAMES } from '../../tuners/registry.ts';
import { assertScored } from '../assert-scored.ts';
import { folderNames, withSetting } from '../settings.ts';

/** A run of a sweep: one combination of the values in its lists. */
export interface SweepRun {
  /** Path of the run's folder below the sweep's folder: `learning_rate=0.001,seed=0`. */
  name: string;
  /** The varied settings by dotted keys, in the file's order. */
  settings: Readonly<Record<string, unknown>>;
  /** The config that the run trains with. */
  config: Record<string, unknown>;
  /**
   * The config for all training rows and the sweep's own validation data. It is for training again with the
   * chosen settings.
   */
  whole: Record<string, unknown>;
}

/** Stands for the files of held-out rows until they are written. */
const HELD_OUT = 'held-out rows';

/** A larger number is probably a mistake in the file. All runs have their folders in one parent folder. */
const MAX_RUNS = 10_000;

type Where = (path: KeyPath) => string;

/**
 * All combinations of the values in a config's lists. A list is swept over if the schema expects a single
 * value. For a key that expects a list, such as `target_modules`, write a list of lists. The last key varies
 * fastest.
 *
 * @param file a config; its `output` is the sweep's folder
 * @param holdsOut whether the runs are scored on held-out rows instead of `data.validation`
 * @throws UserError for problems in any of the runs, and for a file without lists to sweep over
 */
export function sweepRuns(file: Record<string, unknown>, where: Where, holdsOut = false): SweepRun[] {
  const { output } = file;
  if (typeof output !== 'string' || output === '') {
    const [expected, got] = ['a folder for all runs', shown(output)];
    throw new UserError({ where: where(['output']), key: 'output', expected, got });
  }
  const scored = (config: Record<string, unknown>) => (holdsOut ? onHeldOut(config) : config);
  const axes = axesOf(file, [], scored);
  if (axes.length === 0) {
    const hint = 'For example: seed: [0, 1, 2]. For a single run, use adalora train.';
    throw new UserError({ where: where([]), fault: 'has no list of values to sweep over', hint });
  }
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > MAX_RUNS)
    throw new UserError({
      where: where([]),
      fault: `has ${count} runs, more than the maximum of ${MAX_RUNS}`,
    });
  const seen = new Set<string>();
  const runs = Array.from({ length: count }, (_, number) => combination(axes, number)).flatMap((all) => {
    const method = all.find(({ path }) => path.join() === 'method')?.value ?? file.method ?? DEFAULT_METHOD;
    // Settings of other methods have no effect.
    const chosen = all.filter(({ path: [section] }) => section === method || !isMethod(section!));
    const key = JSON.stringify(chosen);
    if (seen.has(key)) return [];
    seen.add(key);
    const rest = all.filter((one) => !chosen.includes(one));
    const config = [...chosen, ...rest].reduce(
      (sofar, { path, value }) => withSetting(sofar, path, value),
      file,
    );
    const settings = Object.fromEntries(chosen.map(({ path, value }) => [path.join('.'), value]));
    return [{ settings, whole: config }];
  });
  const names = folderNames(runs.map(({ settings }) => settings));
  return runs.map(({ settings, whole }, i) => {
    const config = { ...scored(whole), output: `${output}/runs/${names[i]}` };
    assertScored(parseRunConfig(config, where), where(['training', 'eval_strategy']));
    if (Object(whole.data).validation !== undefined) parseRunConfig(whole, where);
    return { name: names[i]!, settings, config, whole };
  });
}

function onHeldOut(config: Record<string, unknown>): Record<string, unknown> {
  const { data } = config;
  const isSection = typeof data === 'object' && data !== null && !Array.isArray(data);
  return isSection ? { ...config, data: { ...data, validation: HELD_OUT } } : config;
}

function isMethod(section: string): boolean {
  return METHOD_NAMES.some((name) => name === section);
}

/** The config of a run with all defaults filled in. */
export function sweptConfig({ name, config }: SweepRun): ParsedConfig {
  return parseRunConfig(config, name);
}

interface Axis {
  path: readonly string[];
  values: readonly unknown[];
}

/**
 * Finds the sweep's axes: lists where the schema expects a single value.
 *
 * @param scored changes a config to the one that the run trains with
 */
function axesOf(
  baseConfig: Record<string, unknown>,
  axes: readonly Axis[],
  scored: (config: Record<string, unknown>) => Record<string, unknown>,
): Axis[] {
  const wrong: KeyPath[] = [];
  const tried = axes.reduce((config, { path, values }) => withSetting(config, path, values[0]), baseConfig);
  try {
    parseRunConfig(scored(tried), (path) => {
      wrong.push(path);
      return '';
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  const more = listsIn(tried).filter(({ path }) => wrong.some((at) => path.every((key, i) => key === at[i])));
  if (more.length > 0) return axesOf(baseConfig, [...axes, ...more], scored);
  const order = listsIn(baseConfig).map(({ path }) => path.join('.'));
  const place = ({ path }: Axis) => order.indexOf(path.join('.'));
  return [...axes].sort((a, b) => place(a) - place(b));
}

function listsIn(value: unknown, path: readonly string[] = []): Axis[] {
  if (Array.isArray(value)) return value.length > 0 ? [{ path, values: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => listsIn(inner, [...path, key]));
}

function combination(axes: readonly Axis[], number: number): { path: readonly string[]; value: unknown }[] {
  let rest = number;
  return axes
    .toReversed()
    .map(({ path, values }) => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return { path, value };
    })
    .toReversed();
}

import { DEFAULT_METHOD, METHOD_NAMES } from '../../../methods/tuners/registry.ts';
import { type KeyPath, shown, UserError } from '../../../support/user-error.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import { assertScored } from '../assert-scored.ts';
import { assertCount, type Cell, type Experiment, heldOutData, sharedPlace } from '../experiment.ts';
import { folderNames, withSetting } from '../settings.ts';

/** Every combination of the values in a file's lists, as an experiment with one row each. */
export interface Sweep {
  experiment: Experiment;
  /**
   * A combination by its row. `config` has all training rows and the sweep's own validation data. It is for training
   * again with the chosen settings.
   */
  combinations: ReadonlyMap<string, Combination>;
}

export interface Combination {
  method: string;
  config: Record<string, unknown>;
}

/** Default share of the training rows that is held out to choose the best combination. */
const HELD_OUT = 0.1;

type Config = Record<string, unknown>;
type Where = (path: KeyPath) => string;

/**
 * All combinations of the values in a config's lists. A list is swept over if the schema expects a single
 * value. For a key that expects a list, such as `target_modules`, write a list of lists. The last key varies
 * fastest.
 *
 * @param file a config; its `output` is the sweep's folder, and its `held_out` the share of the training rows on which
 * combinations are scored, instead of `data.validation`
 * @throws UserError for problems in any of the runs, and for a file without lists to sweep over
 */
export function sweepOf({ held_out: share = HELD_OUT, ...file }: Config, where: Where): Sweep {
  const { output } = file;
  if (typeof share !== 'number' || !(share >= 0 && share < 1)) {
    const expected = 'at least 0 and less than 1';
    throw new UserError({ where: where(['held_out']), key: 'held_out', expected, got: shown(share) });
  }
  if (typeof output !== 'string' || output === '') {
    const [expected, got] = ['a folder for all runs', shown(output)];
    throw new UserError({ where: where(['output']), key: 'output', expected, got });
  }
  const scored = (config: Config) => onHeldOut(config, share);
  const axes = axesOf(file, [], scored);
  if (axes.length === 0) {
    const hint = 'For example: seed: [0, 1, 2]. For a single run, use adalora train.';
    throw new UserError({ where: where([]), fault: 'has no list of values to sweep over', hint });
  }
  const seeds = [...new Set(axes.find(isSeed)?.values ?? [file.seed ?? 0])];
  const varied = axes.filter((axis) => !isSeed(axis));
  const count = varied.reduce((product, { values }) => product * values.length, 1);
  assertCount(count * seeds.length, where([]));
  const seen = new Set<string>();
  const found = Array.from({ length: count }, (_, number) => combination(varied, number)).flatMap((all) => {
    const method = `${all.find(({ path }) => path.join() === 'method')?.value ?? file.method ?? DEFAULT_METHOD}`;
    // Settings of other methods have no effect.
    const chosen = all.filter(({ path: [section] }) => section === method || !isMethod(section!));
    const key = JSON.stringify(chosen);
    if (seen.has(key)) return [];
    seen.add(key);
    const rest = all.filter((one) => !chosen.includes(one));
    const config = [...chosen, ...rest].reduce((sofar, { path, value }) => withSetting(sofar, path, value), {
      ...file,
      seed: seeds[0],
    } as Config);
    const settings = Object.fromEntries(chosen.map(({ path, value }) => [path.join('.'), value]));
    return [{ settings, method, config }];
  });
  const names = folderNames(found.map(({ settings }) => settings));
  const rows = found.map((one, i) => ({ ...one, row: names[i] || one.method }));
  const cells = rows.map(({ row, settings, config: whole }, i): Cell => {
    const config = scored(whole);
    const { training } = scoredConfig(config, where);
    // A seed is valid with every combination or with none.
    if (i === 0) for (const seed of seeds.slice(1)) scoredConfig({ ...config, seed }, where);
    if (Object(whole.data).validation !== undefined) parseRunConfig(whole, where);
    const scores = [...new Set([training.metric_for_best_model, 'loss'])];
    return { row, task: 'run', settings, config, grid: [], scores };
  });
  const twice = sharedPlace(cells);
  if (twice) throw new UserError({ where: where([]), fault: `has two combinations for the folder ${twice}` });
  return {
    experiment: {
      title: `Sweep of ${cells.length} ${cells.length === 1 ? 'combination' : 'combinations'}`,
      ...{ output, folder: `${output}/runs`, cells, seeds: seeds as number[] },
      tuning: { heldOut: share, seed: 0, halving: [] },
      comparedWith: () => undefined,
      holdsOutFinals: share > 0,
    },
    combinations: new Map(rows.map(({ row, method, config }) => [row, { method, config }])),
  };
}

/** Parses the config of a run, which must end with a score. */
function scoredConfig(config: Config, where: Where): ParsedConfig {
  const parsed = parseRunConfig(config, where);
  assertScored(parsed, where(['training', 'eval_strategy']));
  return parsed;
}

/** Replaces the validation data by held-out rows. */
function onHeldOut(config: Config, share: number): Config {
  const { data } = config;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return config;
  return { ...config, data: { ...data, ...heldOutData(share) } };
}

const isSeed = ({ path }: Axis) => path.join() === 'seed';

function isMethod(section: string): boolean {
  return METHOD_NAMES.some((name) => name === section);
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

import { DEFAULT_METHOD, METHOD_NAMES } from '../../methods/tuners/registry.ts';
import { type KeyPath, UserError } from '../../support/user-error.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { product, type RowKeys } from './comparison-file.ts';
import { assertCount } from './experiment.ts';
import { type Config, folderNames, type Settings, withSetting } from './settings.ts';

/** Every combination of the values in a config's lists, as the rows of a comparison. */
export interface ListedRows {
  /** Settings by the name of a row: the values of the lists. */
  rows: Record<string, { set: Settings; keys: RowKeys; tasks?: undefined }>;
  /** Removes the lists from a config. */
  withoutLists(config: Config): Config;
  seeds: number[];
}

/**
 * All combinations of the values in a config's lists. A list varies if the schema expects a single value. For a key
 * that expects a list, such as `target_modules`, write a list of lists. The last key varies fastest, and `seed` gives
 * the seeds of every row.
 *
 * @param scored changes a config to the one that the run trains with
 * @throws UserError for a config without such lists, and for too many combinations
 */
export function listedRows(
  config: Config,
  scored: (config: Config) => Config,
  where: (path: KeyPath) => string,
): ListedRows {
  const axes = listAxes(config, [], scored);
  if (axes.length === 0) {
    const fault = 'has neither rows nor a list of values to compare';
    const hint = 'For example: seed: [0, 1, 2]. For a single run, use adalora train.';
    throw new UserError({ where: where([]), fault, hint });
  }
  const seeds = [...new Set(axes.find(isSeed)?.values ?? [config.seed ?? 0])] as number[];
  const varied = axes.filter((axis) => !isSeed(axis));
  assertCount(
    varied.reduce((count, { values }) => count * values.length, seeds.length),
    where([]),
  );
  const all = product(varied.map(({ path, values }) => [path.join('.'), values]));
  const methodOf = (settings: Settings) => `${settings.method ?? config.method ?? DEFAULT_METHOD}`;
  const seen = new Set<string>();
  const found = (all.length > 0 ? all : [{}]).flatMap((settings) => {
    // Settings of other methods have no effect.
    const method = methodOf(settings);
    const own = Object.entries(settings).filter(([key]) => {
      const [section] = key.split('.') as [string];
      return section === method || !METHOD_NAMES.some((name) => name === section);
    });
    const key = JSON.stringify(own);
    if (seen.has(key)) return [];
    seen.add(key);
    return [Object.fromEntries(own)];
  });
  const names = folderNames(found);
  return {
    rows: Object.fromEntries(found.map((set, i) => [names[i] || methodOf(set), { set, keys: {} }])),
    withoutLists: (config) => ({
      ...axes.reduce<Config>((rest, { path }) => without(rest, path), config),
      seed: seeds[0],
    }),
    seeds,
  };
}

interface Axis {
  path: readonly string[];
  values: readonly unknown[];
}

const isSeed = ({ path }: Axis) => path.join() === 'seed';

/** Finds the lists where the schema expects a single value: a run's config with the list is invalid at this place. */
function listAxes(config: Config, axes: readonly Axis[], scored: (config: Config) => Config): Axis[] {
  const wrong: KeyPath[] = [];
  const tried = axes.reduce((sofar, { path, values }) => withSetting(sofar, path, values[0]), config);
  try {
    parseRunConfig(scored(tried), (path) => {
      wrong.push(path);
      return '';
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  const more = listsIn(tried).filter(({ path }) => wrong.some((at) => path.every((key, i) => key === at[i])));
  if (more.length > 0) return listAxes(config, [...axes, ...more], scored);
  const order = listsIn(config).map(({ path }) => path.join('.'));
  const place = ({ path }: Axis) => order.indexOf(path.join('.'));
  return [...axes].sort((a, b) => place(a) - place(b));
}

function listsIn(value: unknown, path: readonly string[] = []): Axis[] {
  if (Array.isArray(value)) return value.length > 0 ? [{ path, values: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => listsIn(inner, [...path, key]));
}

/** A config without one key. */
function without(config: Config, [key, ...rest]: readonly string[]): Config {
  const { [key!]: value, ...others } = config;
  if (rest.length === 0 || value === undefined) return others;
  return { ...others, [key!]: without(Object(value), rest) };
}

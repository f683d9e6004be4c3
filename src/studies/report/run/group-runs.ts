import { METHOD_NAMES, methodNamed } from '../../../methods/tuners/registry.ts';
import { averaged, scoreDefinition } from '../../../scores/metrics/scores.ts';
import { type Interval, interval } from '../../../scores/stats/interval.ts';
import { listed } from '../../../support/text.ts';
import { hasEffect } from '../../../training/run/config/fingerprint-settings.ts';
import {
  describeComponents,
  listSettings,
  methodTitle,
  type RunRecord,
  type RunSummary,
} from './run-record.ts';

/** The name of a model: its id on the Hub, or the last name of its folder. */
export function modelName({ model }: RunSummary): string {
  return /^[\w.-]+\/[\w.-]+$/.test(model) ? model : (splitPath(model).at(-1) ?? model);
}

/** File names that many datasets use. Such a dataset is named after its folder. */
const EVERYONES = /^(train|training|dev|valid|validation|test|data|eval)([-_.].*)?$/i;

/** The name of a dataset: `CoLA` for `data/glue/CoLA/train.tsv`, `spam` for `spam.jsonl`. */
export function dataName({ data }: RunSummary): string {
  if (data.dataset !== undefined)
    return [splitPath(data.dataset).at(-1), data.subset].filter((part) => part !== undefined).join(' ');
  return [data.train].flat().map(fileTitle).join(' + ');
}

/** The name of a data file without its extension, or of its folder if many datasets have that name. */
export function fileTitle(path: string): string {
  const parts = splitPath(path);
  const file = parts.at(-1)?.replace(/\.\w+$/, '') ?? path;
  return EVERYONES.test(file) ? (parts.at(-2) ?? file) : file;
}

/** Short names of folders: the last part of each path, and earlier parts if needed to distinguish all folders. */
export function shortFolderNames(paths: readonly string[]): string[] {
  const parts = paths.map(splitPath);
  const distinct = new Set(paths).size;
  const named = (depth: number) => parts.map((path) => path.slice(-depth).join('/'));
  for (let depth = 1; ; depth++) {
    const names = named(depth);
    if (new Set(names).size >= distinct || parts.every(({ length }) => length <= depth)) return names;
  }
}

function splitPath(path: string): string[] {
  return path.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..');
}

/** The display name of a score. */
export function scoreTitle(name: string): string {
  const words = name.replaceAll('_', ' ');
  const facts = scoreDefinition(name);
  if (!facts) return words.charAt(0).toUpperCase() + words.slice(1);
  return facts.set === undefined ? facts.title : `${facts.title}, ${facts.set}`;
}

/** Runs that differ only by their seed. */
export interface RunGroup {
  /** Distinguishes the group from others: the method, then other differences. */
  label: string;
  /** In order of seeds. */
  runs: readonly [RunRecord, ...RunRecord[]];
}

/** Groups runs that differ only by their seed. Groups are in the order of their first runs. */
export function groupRuns(records: readonly RunRecord[]): RunGroup[] {
  const groups = new Map<string, [RunRecord, ...RunRecord[]]>();
  for (const record of records) {
    const key = formatKey(record.facts);
    const runs = groups.get(key);
    if (runs) runs.push(record);
    else groups.set(key, [record]);
  }
  const sorted = [...groups.values()].map((runs) => runs.sort((a, b) => a.facts.seed - b.facts.seed));
  const labels = runLabels(
    sorted.map(([{ facts }]) => facts),
    sorted.map(joinNames),
  );
  return sorted.map((runs, i) => ({ label: labels[i]!, runs }));
}

/** The unit of the ranks in some groups, by their methods' words. */
export function componentsIn(groups: readonly RunGroup[]): string {
  return describeComponents(groups.map(({ runs: [{ facts }] }) => facts.method));
}

/** The names of the folders of some runs. */
export function joinNames(runs: readonly RunRecord[]): string {
  return listed(runs.flatMap(({ name }) => (name === '' ? [] : name)));
}

/** A key that is equal for runs of a group. It contains only settings that count. */
export function formatKey(facts: RunSummary, counts: (key: string) => boolean = () => true): string {
  const settings = [...listSettings(facts)].filter(([key]) => hasEffect(key) && counts(key)).sort();
  return JSON.stringify([facts.model, facts.data.train, facts.data.validation, facts.adapter, settings]);
}

/**
 * Labels that distinguish runs: the method, then data and models if they differ, then settings.
 *
 * @param names names of the runs, for runs that differ only by their files
 * @param counts whether a setting counts
 */
export function runLabels(
  all: readonly RunSummary[],
  names: readonly string[],
  counts: (key: string) => boolean = () => true,
): string[] {
  const differs = (name: (facts: RunSummary) => string) => new Set(all.map(name)).size > 1;
  const [models, data] = [differs(modelName), differs(dataName)];
  const labels = all.map((facts) =>
    [methodTitle(facts), ...(data ? [dataName(facts)] : []), ...(models ? [modelName(facts)] : [])].join(
      ', ',
    ),
  );
  const detailed = labels.map((label, i) => {
    const twins = all.filter((_, k) => labels[k] === label);
    return [label, ...differences(all[i]!, twins, counts)].join(', ');
  });
  const isShared = (label: string) => detailed.filter((other) => other === label).length > 1;
  return detailed.map((label, i) => (isShared(label) ? `${label}, ${names[i]}` : label));
}

/** The settings of `facts` that differ from those of runs with the same label. */
function differences(
  facts: RunSummary,
  twins: readonly RunSummary[],
  counts: (key: string) => boolean,
): string[] {
  const settings = twins.map(listSettings);
  return [...new Set(settings.flatMap((each) => [...each.keys()]))]
    .filter((key) => hasEffect(key) && counts(key))
    .filter((key) => new Set(settings.map((each) => each.get(key))).size > 1)
    .map((key) => `${key.split('.').at(-1)} ${listSettings(facts).get(key) ?? 'left out'}`);
}

/** The display name of a score. It contains the average over classes if all runs use the same. */
export function scoreTitleIn(groups: readonly RunGroup[], name: string): string {
  const title = scoreTitle(name);
  const titles = groups.flatMap(({ runs }) =>
    runs.map(({ start }) => averaged(title, start?.averages?.[name])),
  );
  return titles.every((other) => other === titles[0]) ? (titles[0] ?? title) : title;
}

/** Whether a setting, by its dotted key, controls how much a method trains. */
export function isBudgetKey(key: string): boolean {
  const [section, name] = key.split('.') as [string, string];
  const method = METHOD_NAMES.find((method) => method === section);
  return method !== undefined && (methodNamed(method).words.budgetKeys?.includes(name) ?? false);
}

/** Mean and interval of a number over the items that have it. Undefined if none has it. */
export function intervalOver<Item>(
  items: readonly Item[],
  measure: (item: Item) => number | undefined,
): Interval | undefined {
  const values = items.map(measure).filter((value) => value !== undefined && Number.isFinite(value));
  return values.length === 0 ? undefined : interval(values as number[]);
}

/**
 * Formats an interval as `mean ± half unit`; `show` formats the numbers. Shows only the mean if all runs have the same
 * value.
 */
export function intervalText(
  value: Interval | undefined,
  show: (value: number) => string,
  unit = '',
): string {
  if (!value) return '–';
  return `${show(value.mean)}${value.half ? ` ± ${show(value.half)}` : ''}${unit}`;
}

import { nearest, suggest } from '../../../support/text.ts';
import { InvalidConfig, UserError } from '../../../support/user-error.ts';
import { fullMatcher } from './python-regex.ts';

/** The error for an entry of `target_modules` that matches no linear layer. */
function unknownTarget(target: string, paths: readonly string[]): UserError {
  return new InvalidConfig({
    where: 'target_modules',
    fault: `has "${target}", which is not a linear layer`,
    hint: suggestTarget(target, paths),
  });
}

/** The error for an empty selection. `targeted` is the selection before exclusions. */
function nothingMatched(
  paths: readonly string[],
  targeted: readonly string[],
  selection: TargetSelection,
): UserError {
  const { target_modules: targets } = selection;
  if (targeted.length > 0) {
    return new UserError({
      key: 'target_modules',
      fault: `names ${targeted.length} layers, and exclude_modules or modules_to_save names all of them`,
    });
  }
  if (typeof targets === 'string') {
    const isName = paths.some((path) => path.endsWith(`.${targets}`));
    const hint = isName
      ? `Write [${targets}] for the layers of that name.`
      : `It must match the whole path. ${suggestTarget(targets, paths)}`;
    return new InvalidConfig({
      where: 'target_modules',
      fault: `is the regular expression "${targets}", which matches none of ${paths.length} linear layers`,
      hint,
    });
  }
  return new InvalidConfig({
    where: 'layers_to_transform',
    fault: `${selection.layers_to_transform} has no layer that contains ${targets.join(', ')}`,
  });
}

/** Suggests ends of paths without layer numbers (`query`, `output.dense`). */
function suggestTarget(target: string, paths: readonly string[]): string {
  const ends = paths.map((path) => path.split('.').slice(path.split('.').findLastIndex(isNumber) + 1));
  const suffixes = ends.flatMap((parts) => parts.map((_, i) => parts.slice(i).join('.')));
  const near = nearest(target, suffixes);
  if (near.length > 0) return `Did you mean ${near.join(', ')}?`;
  return suggest(target, new Set(ends.map((parts) => parts[parts.length - 1]!)));
}

function isNumber(part: string): boolean {
  return /^\d+$/.test(part);
}

/** PEFT's keys that select the linear layers to adapt. */
export interface TargetSelection {
  target_modules: string | readonly string[];
  exclude_modules?: string | readonly string[];
  layers_to_transform?: number | readonly number[];
  layers_pattern?: string | readonly string[];
  /** Fully trained modules, including the task's head. Modules inside them are not adapted. */
  modules_to_save?: readonly string[];
}

/**
 * The linear layers that get an adapter, in the order given, by PEFT's rules:
 *
 * - a list: a layer whose path is an entry, or ends in `.` and an entry;
 * - `all-linear`: every layer except `heads`, the model's output layers;
 * - another string: a regular expression (Python's) that matches the whole path.
 *
 * `layers_to_transform` restricts the layers that match by the end of their path to these numbers. In a list, an entry
 * that matches no linear layer is an error, because it is a misspelling. PEFT accepts it if other entries match.
 *
 * @throws UserError with the nearest names if an entry matches nothing, or if no layer is left
 */
export function matchTargets(
  linearModulePaths: readonly string[],
  selection: TargetSelection,
  heads: readonly string[] = [],
): string[] {
  checkCombination(selection);
  const isTarget = targetTest(linearModulePaths, selection, heads);
  const isExcluded = exclusionTest(selection);
  const targeted = linearModulePaths.filter(isTarget);
  const matched = targeted.filter((path) => !isExcluded(path));
  if (matched.length === 0) throw nothingMatched(linearModulePaths, targeted, selection);
  return matched;
}

type Test = (path: string) => boolean;

function targetTest(paths: readonly string[], selection: TargetSelection, heads: readonly string[]): Test {
  const { target_modules: targets } = selection;
  if (typeof targets !== 'string') {
    for (const target of targets)
      if (!paths.some((path) => isNamed(path, target))) throw unknownTarget(target, paths);
    const inLayers = layerTest(selection);
    return (path) =>
      targets.includes(path) || (targets.some((target) => isNamed(path, target)) && inLayers(path));
  }
  if (targets.toLowerCase() === 'all-linear') return (path) => !heads.includes(path);
  return fullMatcher('target_modules')(targets);
}

function exclusionTest({
  exclude_modules: excluded = [],
  modules_to_save: saved = [],
}: TargetSelection): Test {
  const compile = fullMatcher('modules_to_save');
  const insideSaved = saved.map((name) => compile(`(|.*\\.)${name}(|\\..*)`));
  const isExcluded =
    typeof excluded === 'string'
      ? fullMatcher('exclude_modules')(excluded)
      : (path: string) => excluded.some((name) => isNamed(path, name));
  return (path) => isExcluded(path) || insideSaved.some((isInside) => isInside(path));
}

/** Returns a test whether an adapter's config selects the layer of a module. Keys of the config may be null. */
export function createLayerTest(
  config: Readonly<{ [Key in keyof TargetSelection]?: TargetSelection[Key] | null }>,
): Test {
  const { target_modules: targets, layers_to_transform, layers_pattern } = config;
  if (!Array.isArray(targets)) return () => true;
  const isInLayers = layerTest({
    layers_to_transform: layers_to_transform ?? [],
    layers_pattern: layers_pattern ?? [],
  });
  return (path) => targets.includes(path) || isInLayers(path);
}

/**
 * Whether the first number in a path is among the selected layers. With `layers_pattern`, it is the first number after
 * one of these names.
 */
function layerTest({
  layers_to_transform: layers,
  layers_pattern: patterns = [],
}: Pick<TargetSelection, 'layers_to_transform' | 'layers_pattern'>): Test {
  const wanted = typeof layers === 'number' ? [layers] : (layers ?? []);
  if (wanted.length === 0) return () => true;
  const names = typeof patterns === 'string' ? [patterns] : patterns;
  const compile = fullMatcher('layers_pattern');
  const ends =
    names.length === 0
      ? [(path: string) => path.includes('.')]
      : names.map((name) => compile(`(?:|.*\\.)(?:${name})`));
  return (path) => {
    const numbers = [...path.matchAll(/\.(\d+)(?=\.)/g)];
    for (const isEnd of ends) {
      const number = numbers.find(({ index }) => isEnd(path.slice(0, index)));
      if (number) return wanted.includes(Number(number[1]));
    }
    return false;
  };
}

function isNamed(path: string, name: string): boolean {
  return path === name || path.endsWith(`.${name}`);
}

function checkCombination({ target_modules, layers_to_transform, layers_pattern }: TargetSelection): void {
  if (typeof target_modules === 'string' && layers_to_transform !== undefined) {
    throw new InvalidConfig({
      where: 'layers_to_transform',
      fault: `needs target_modules as a list of names, got "${target_modules}"`,
      hint: 'List the names, or put the layer numbers into the regular expression.',
    });
  }
  if (layers_pattern !== undefined && layers_to_transform === undefined) {
    throw new InvalidConfig({
      where: 'layers_pattern',
      fault: 'needs layers_to_transform',
    });
  }
}

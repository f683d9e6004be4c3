import { suggest } from '../../../support/nearest.ts';
import { UserError } from '../../../support/user-error.ts';
import { fullMatcher } from '../shared/python-regex.ts';

/**
 * The value for a module in PEFT's `rank_pattern` or `alpha_pattern`. Keys are regular expressions that match the
 * module's path, or its end after a dot. The first match counts. Without a match, a key equal to the path counts.
 * Otherwise, the result is undefined.
 */
export function patternValue(patterns: Record<string, number>, module: string): number | undefined {
  for (const { key, matches } of compiled(patterns)) if (matches(module)) return patterns[key];
  return Object.hasOwn(patterns, module) ? patterns[module] : undefined;
}

interface CompiledKey {
  key: string;
  matches: (module: string) => boolean;
}

/** Patterns that have been compiled, because the value of every module is asked for. */
const known = new WeakMap<object, readonly CompiledKey[]>();

function compiled(patterns: Record<string, number>): readonly CompiledKey[] {
  const compile = fullMatcher('a pattern of modules');
  const keys =
    known.get(patterns) ??
    Object.keys(patterns).map((key) => ({
      key,
      matches: PLAIN.test(key) ? (module: string) => endsIn(module, key) : compile(`(.*\\.)?(${key})`),
    }));
  known.set(patterns, keys);
  return keys;
}

/** A key that is a path. Adapters may have one for each module, so such keys are compared without a regular expression. */
const PLAIN = /^[\w.]+$/;

/** Whether a module's path is a key, or ends in a dot and the key. A dot in the key stands for any character. */
function endsIn(module: string, key: string): boolean {
  const start = module.length - key.length;
  if (start < 0 || (start > 0 && module[start - 1] !== '.')) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== '.' && key[i] !== module[start + i]) return false;
  return true;
}

/** LoRA's rank of a module by a config. */
export function loraRank(
  { r, rank_pattern }: { r: number; rank_pattern: Record<string, number> },
  module: string,
): number {
  return patternValue(rank_pattern, module) ?? r;
}

/**
 * Returns a pattern with the same values for these modules when its keys are sorted, as they are in files. If the order
 * of the keys matters, the new keys are the paths of modules.
 */
export function sortablePattern(
  patterns: Record<string, number>,
  modules: readonly string[],
): Record<string, number> {
  const valuesIn = (some: Record<string, number>) =>
    modules.flatMap((path) => {
      const value = patternValue(some, path);
      return value === undefined ? [] : [[path, value] as const];
    });
  const sorted = Object.fromEntries(Object.entries(patterns).sort(([a], [b]) => (a < b ? -1 : 1)));
  const values = valuesIn(patterns);
  return String(values) === String(valuesIn(sorted)) ? patterns : Object.fromEntries(values);
}

/**
 * Checks that every key of a pattern matches a module. PEFT only warns.
 *
 * @param where the pattern's key, such as `lora.rank_pattern`
 * @throws UserError that names the first key without a match
 */
export function checkPatternKeys(
  patterns: Record<string, number>,
  modules: readonly string[],
  where: string,
): void {
  for (const { key, matches } of compiled(patterns)) {
    if (modules.some((module) => module === key || matches(module))) continue;
    throw new UserError({
      where,
      fault: `has "${key}", which is not an adapted module`,
      hint: suggest(key, modules),
    });
  }
}

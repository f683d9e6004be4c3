import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { fullMatchRegex } from '../shared/python-regex.ts';

/**
 * The value for a module in PEFT's `rank_pattern` or `alpha_pattern`. Keys are regular expressions that match the
 * module's path, or its end after a dot. The first match counts. Without a match, a key equal to the path counts.
 * Otherwise, the result is undefined.
 */
export function patternValue(patterns: Record<string, number>, module: string): number | undefined {
  for (const [key, value] of Object.entries(patterns)) if (keyRegex(key).test(module)) return value;
  return Object.hasOwn(patterns, module) ? patterns[module] : undefined;
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
  for (const key of Object.keys(patterns)) {
    const regex = keyRegex(key);
    if (modules.some((module) => module === key || regex.test(module))) continue;
    throw new UserError({
      where,
      fault: `has "${key}", which is not an adapted module`,
      hint: suggest(key, modules),
    });
  }
}

function keyRegex(key: string): RegExp {
  return fullMatchRegex(`(.*\\.)?(${key})`, `pattern "${key}"`);
}

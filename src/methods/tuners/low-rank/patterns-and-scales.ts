import { suggest } from '../../../support/text.ts';
import { InvalidConfig } from '../../../support/user-error.ts';
import { fullMatcher } from '../targets/python-regex.ts';
import type { ScaleConfig } from './peft-config.ts';

/** PEFT's `rank_pattern` or `alpha_pattern`. */
type Pattern = Record<string, number>;

/**
 * The value for a module in PEFT's `rank_pattern` or `alpha_pattern`. Keys are regular expressions that match the
 * module's path, or its end after a dot. The first match counts. Without a match, a key equal to the path counts.
 * Otherwise, the result is undefined.
 */
export function patternValue(patterns: Pattern, module: string): number | undefined {
  for (const { key, matches } of compiled(patterns)) if (matches(module)) return patterns[key];
  return Object.hasOwn(patterns, module) ? patterns[module] : undefined;
}

interface CompiledKey {
  key: string;
  matches: (module: string) => boolean;
}

/** Patterns that have been compiled, because the value of every module is asked for. */
const known = new WeakMap<object, readonly CompiledKey[]>();

function compiled(patterns: Pattern): readonly CompiledKey[] {
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
export function loraRank({ r, rank_pattern }: { r: number; rank_pattern: Pattern }, module: string): number {
  return patternValue(rank_pattern, module) ?? r;
}

/**
 * Returns a pattern with the same values for these modules when its keys are sorted, as they are in files. If the order
 * of the keys matters, the new keys are the paths of modules.
 */
export function sortablePattern(patterns: Pattern, modules: readonly string[]): Pattern {
  const valuesIn = (some: Pattern) =>
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
export function checkPatternKeys(patterns: Pattern, modules: readonly string[], where: string): void {
  for (const { key, matches } of compiled(patterns)) {
    if (modules.some((module) => module === key || matches(module))) continue;
    throw new InvalidConfig({
      where,
      fault: `has "${key}", which is not an adapted module`,
      hint: suggest(key, modules),
    });
  }
}

/** PEFT adds this to AdaLoRA's initial rank before it divides alpha by it. */
const RANK_EPSILON = 1e-5;

/** AdaLoRA's scale, alpha / init_r. It also applies to a module that has lost triplets. */
export function adaLoraScale({ lora_alpha, init_r }: { lora_alpha: number; init_r: number }): number {
  return lora_alpha / (init_r + RANK_EPSILON);
}

/**
 * The scale of a module in AdaLoRA's file. In place of an alpha of 0 or less, PEFT uses the number of the module's
 * triplets.
 */
export function storedAdaLoraScale(config: { lora_alpha: number; init_r: number }, rank: number): number {
  const { lora_alpha, init_r } = config;
  return adaLoraScale({ lora_alpha: lora_alpha > 0 ? lora_alpha : rank, init_r });
}

/** The alpha with which {@link adaLoraScale} gives this scale. */
export function computeAdaLoraAlpha(scale: number, init_r: number): number {
  return scale * (init_r + RANK_EPSILON);
}

/**
 * The alpha with which {@link adaLoraScale} gives the scale of the settings. PEFT's AdaLoRA only supports alpha / r.
 * For rsLoRA's alpha / √r, the file contains alpha √r, with which PEFT computes the same scale.
 */
export function adaLoraAlpha(
  { lora_alpha, scale }: { lora_alpha: number } & ScaleConfig,
  init_r: number,
): number {
  return scale === 'rslora' ? lora_alpha * Math.sqrt(init_r) : lora_alpha;
}

/** LoRA's scale: alpha / r, or alpha / √r with rsLoRA. In `alpha_pattern`, a module may have another alpha. */
export function loraScale(
  config: { lora_alpha: number; alpha_pattern: Readonly<Pattern>; use_rslora: boolean },
  path: string,
  rank: number,
): number {
  const alpha = patternValue(config.alpha_pattern, path) ?? config.lora_alpha;
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
}

/** The name of a method with its unusual settings, such as "AdaLoRA (γ = 0, rsLoRA's scale)". */
export function withVariants(title: string, variants: readonly (string | readonly string[])[]): string {
  const names = variants.flat();
  return names.length > 0 ? `${title} (${names.join(', ')})` : title;
}

/** Names a scale other than the usual one. */
export function scaleVariant({ scale }: Readonly<Record<string, unknown>>): string[] {
  return scale === 'rslora' ? ['alpha / √r'] : [];
}

import type { ScaleConfig } from './adapter-config-shape.ts';
import { patternValue } from './pattern-value.ts';

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
export function adaLoraAlphaOf(scale: number, init_r: number): number {
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
  config: { lora_alpha: number; alpha_pattern: Readonly<Record<string, number>>; use_rslora: boolean },
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

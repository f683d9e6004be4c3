/** The name of a method with what is unusual about it: "AdaLoRA (γ = 0, rsLoRA's scale)". */
export function withVariants(title: string, variants: readonly (string | readonly string[])[]): string {
  const names = variants.flat();
  return names.length > 0 ? `${title} (${names.join(', ')})` : title;
}

/** Where importance is taken before the optimizer's step. */
export function importanceVariant({ importance_timing }: Readonly<Record<string, unknown>>): string[] {
  return importance_timing === 'before-step' ? ['importance before the step'] : [];
}

/** Where an orthogonality term is that of the paper's text. */
export function termVariant({ orth_reg_weight, orthogonality }: Readonly<Record<string, unknown>>): string[] {
  return orth_reg_weight !== 0 && orthogonality === 'sum-squared' ? ['R of equation 4'] : [];
}

/** Where a scale is not the usual one. */
export function scaleVariant({ scale }: Readonly<Record<string, unknown>>): string[] {
  return scale === 'rslora' ? ['alpha / √r'] : [];
}

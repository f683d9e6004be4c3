/** The name of a method with its unusual settings, such as "AdaLoRA (γ = 0, rsLoRA's scale)". */
export function withVariants(title: string, variants: readonly (string | readonly string[])[]): string {
  const names = variants.flat();
  return names.length > 0 ? `${title} (${names.join(', ')})` : title;
}

/** Names the variant with the orthogonality term from the paper's text. */
export function termVariant({ orth_reg_weight, orthogonality }: Readonly<Record<string, unknown>>): string[] {
  return orth_reg_weight !== 0 && orthogonality === 'sum-squared' ? ['R of equation 4'] : [];
}

/** Names a scale other than the usual one. */
export function scaleVariant({ scale }: Readonly<Record<string, unknown>>): string[] {
  return scale === 'rslora' ? ['alpha / √r'] : [];
}

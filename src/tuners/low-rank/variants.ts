/** The name of a method with what is unusual about it: "AdaLoRA (γ = 0, rsLoRA's scale)". */
export function withVariants(title: string, variants: readonly (string | readonly string[])[]): string {
  const names = variants.flat();
  return names.length > 0 ? `${title} (${names.join(', ')})` : title;
}

/** Where a scale is not the usual one. */
export function scaleVariant({ scale }: Readonly<Record<string, unknown>>): string[] {
  return scale === 'rslora' ? ['alpha / √r'] : [];
}

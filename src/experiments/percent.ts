/** A share in per cent, as in a config: `10%`. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(6))}%`;
}

/** The curves that a budget can follow. */
export const CURVES = ['cubic', 'linear', 'exponential', 'cosine', 'constant'] as const;

export type Curve = (typeof CURVES)[number];

/**
 * The budget at a point between `start` and `end`.
 *
 * @param curve `cubic`: the paper's; `exponential`: the same factor at each step; `constant`: unchanged until the end
 * @param share the covered share of the way, from 0 to 1
 */
export function alongCurve(curve: Curve, share: number, start: number, end: number): number {
  const left = 1 - share;
  switch (curve) {
    case 'cubic':
      return (start - end) * left ** 3 + end;
    case 'linear':
      return (start - end) * left + end;
    case 'cosine':
      return (start - end) * (0.5 + Math.cos(Math.PI * share) / 2) + end;
    case 'exponential':
      return start * (end / start) ** share;
    case 'constant':
      return start;
  }
}

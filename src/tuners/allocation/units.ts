import type { BudgetKey } from './budget-shape.ts';

/** The units of a budget. A component is a triplet or a doublet. */
export type BudgetUnit = 'components' | 'parameters' | 'bytes';

/** The unit of each budget key. */
export const UNIT_OF: Record<BudgetKey, BudgetUnit> = {
  target_r: 'components',
  init_r: 'components',
  target_budget: 'components',
  init_budget: 'components',
  target_parameters: 'parameters',
  init_parameters: 'parameters',
  target_bytes: 'bytes',
  init_bytes: 'bytes',
};

const MULTIPLES: Record<string, number> = {
  ...{ '': 1, k: 1e3, m: 1e6, g: 1e9 },
  ...{ ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 },
};

/** An amount in the unit of its key, not rounded, and its derivation in words. */
export interface Amount {
  amount: number;
  text: string;
}

/** Converts a budget's value, as its schema returns it, to its unit. */
export function inUnit(
  { key, value }: { key: BudgetKey; value: number | string },
  {
    matrices,
    modelParameters,
    components,
  }: { matrices: number; modelParameters: number; components: string },
): Amount {
  const of = (amount: number, by: string): Amount => {
    // In floating point, a share of exactly 23 may become 22.999999999999996.
    const clean = Number(amount.toPrecision(12));
    const unit = UNIT_OF[key] === 'components' ? components : UNIT_OF[key];
    const comesTo = clean === value ? '' : `${by} is ${clean.toLocaleString('en')} ${unit}`;
    return { amount: clean, text: `${key} ${value}${comesTo}` };
  };
  if (key.endsWith('_r')) return of(Number(value) * matrices, ` in ${matrices} matrices`);
  if (typeof value === 'number') return of(value, '');
  const number = Number.parseFloat(value);
  if (value.endsWith('%')) {
    return of((number / 100) * modelParameters, ` of ${modelParameters.toLocaleString('en')} parameters`);
  }
  const [, multiple = ''] = /([kMG]i?)?B$/i.exec(value) ?? [];
  return of(number * MULTIPLES[multiple.toLowerCase()]!, '');
}

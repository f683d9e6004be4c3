import { type BudgetConfig, givenBudget, INITIAL_KEYS, TARGET_KEYS } from './budget-shape.ts';
import type { Components } from './components.ts';

/**
 * The budget of a method's settings in words, such as "rank 12 to 8 on average".
 *
 * @param components what is kept or dropped: triplets or doublets
 */
export function budgetSummary(
  settings: Readonly<Record<string, unknown>>,
  components: Components,
): string | undefined {
  const spoken = ({ key, value }: { key: string; value: number | string }): string => {
    if (key.endsWith('_r')) return `rank ${value}`;
    if (key.endsWith('_budget')) return `${value} ${components}`;
    if (key.endsWith('_parameters')) return `${value}${`${value}`.endsWith('%') ? ' of the' : ''} parameters`;
    return typeof value === 'number' ? `${value} bytes` : value;
  };
  const config = settings as BudgetConfig;
  const target = givenBudget(config, TARGET_KEYS);
  if (!target) return undefined;
  const { init_r } = config;
  if (target.key === 'target_r' && init_r !== undefined) {
    return `rank ${init_r} to ${target.value} on average`;
  }
  const start = givenBudget(config, INITIAL_KEYS);
  return `${start ? `${spoken(start)} to ` : 'down to '}${spoken(target)}`;
}

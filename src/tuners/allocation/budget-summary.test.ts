import { expect, it } from 'vitest';
import { budgetSummary } from './budget-summary.ts';

it.each([
  [{ init_r: 12, target_r: 8 }, 'rank 12 to 8 on average'],
  [{ target_budget: 30 }, 'down to 30 doublets'],
  [{ target_parameters: 1000 }, 'down to 1000 parameters'],
  [{ target_parameters: '0.32%', init_r: 4 }, 'rank 4 to 0.32% of the parameters'],
  [{ target_bytes: '1.2 MB' }, 'down to 1.2 MB'],
  [{}, undefined],
])('%j is described as "%s"', (settings, summary) => {
  expect(budgetSummary(settings, 'doublets')).toBe(summary);
});

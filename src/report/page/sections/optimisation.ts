import { markup } from '../../markup.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import type { StepFacts } from '../../run/run-event.ts';
import type { Point } from '../../stats/series.ts';
import type { Section } from '../section.ts';
import { curveFigure, curvesOf } from './curves.ts';

/** How near the factors stay to orthogonal, the gradient, the learning rate. */
export function optimisation(groups: readonly RunGroup[]): Section {
  const over = (of: (step: StepFacts) => number) =>
    curvesOf(groups, ({ steps }) => steps.map((step): Point => [step.step, of(step)]));
  const figures = [
    curveFigure(
      groups,
      'orthogonality',
      'Orthogonality',
      orthogonalityName(groups),
      over((step) => step.regularizer),
    ),
    curveFigure(
      groups,
      'gradient',
      'Gradient',
      'norm before clipping',
      over((step) => step.grad_norm),
    ),
    curveFigure(
      groups,
      'learning-rate',
      'Learning rate',
      'learning rate',
      over((step) => step.learning_rate),
    ),
  ].filter((figure) => figure !== undefined);
  const section = { id: 'optimisation', title: 'Optimisation' };
  return figures.length === 0 ? section : { ...section, body: markup`<div class="figures">${figures}</div>` };
}

function orthogonalityName(groups: readonly RunGroup[]): string {
  const forms = new Set(groups.flatMap(({ runs: [{ facts }] }) => facts.adalora?.orthogonality ?? []));
  return forms.size === 1 && forms.has('sum-squared')
    ? 'sum of ‖PᵀP − I‖² and ‖QQᵀ − I‖²'
    : 'mean of ‖PᵀP − I‖ and ‖QQᵀ − I‖';
}

import { methodNamed } from '../../../../methods/tuners/registry.ts';
import type { Point } from '../../../../scores/stats/series.ts';
import type { EventOf } from '../../../../training/run/events.ts';
import { markup } from '../../markup.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import { methodSettings } from '../../run/run-facts.ts';
import type { Section } from '../section.ts';
import { curveFigure, curvesOf } from './curves.ts';

/** The orthogonality of the factors, the gradient and the learning rate. */
export function optimisation(groups: readonly RunGroup[]): Section {
  const over = (of: (step: EventOf<'step'>) => number | undefined) =>
    curvesOf(groups, ({ steps }) => steps.map((step): Point => [step.step, of(step) ?? Number.NaN]));
  const figures = [
    curveFigure(groups, {
      id: 'orthogonality',
      title: 'Orthogonality',
      y: orthogonalityName(groups),
      drawn: over((step) => step.regularizer),
    }),
    curveFigure(groups, {
      id: 'gradient',
      title: 'Gradient',
      y: 'norm before clipping',
      drawn: over((step) => step.grad_norm),
    }),
    curveFigure(groups, {
      id: 'gradient-noise-scale',
      title: 'Gradient noise scale',
      y: 'examples',
      drawn: over((step) => step.gradient_noise_scale),
    }),
    curveFigure(groups, {
      id: 'learning-rate',
      title: 'Learning rate',
      y: 'learning rate',
      drawn: over((step) => step.learning_rate),
    }),
  ].filter((figure) => figure !== undefined);
  const section = { id: 'optimisation', title: 'Optimisation' };
  return figures.length === 0 ? section : { ...section, body: markup`<div class="figures">${figures}</div>` };
}

/** The name of the curve. It is specific if all groups have the same regularizer. */
function orthogonalityName(groups: readonly RunGroup[]): string {
  const forms = groups.flatMap(
    ({ runs: [{ facts }] }) => methodNamed(facts.method).words.regularizer?.(methodSettings(facts)) ?? [],
  );
  return new Set(forms).size === 1 ? forms[0]! : 'regularizer, each method in its own form';
}

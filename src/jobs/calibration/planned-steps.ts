import { type ExampleLengths, planEpoch } from '../../text/batches.ts';
import type { TrainerSettings } from '../../train/trainer-settings.ts';
import { paddedTokens } from '../plan/largest-batch.ts';
import { spread } from './spread.ts';
import { total } from './total.ts';

export interface PlannedStep {
  /** Index of the step, from 0. */
  step: number;
  examples: number;
  /** Number of tokens without padding. */
  tokens: number;
}

/**
 * Orders the steps of a run's first epoch. Every prefix then has the same mix of small and large steps as the
 * epoch.
 */
export function plannedSteps(examples: ExampleLengths, settings: TrainerSettings): PlannedStep[] {
  const { accumulation, stepsPerEpoch, totalSteps } = settings;
  const { lengths, targetLengths } = examples;
  const batches = planEpoch({ ...settings, lengths, targetLengths, epoch: 0 });
  const steps = Array.from({ length: Math.min(stepsPerEpoch, totalSteps) }, (_, step) => {
    const stepBatches = batches.slice(step * accumulation, (step + 1) * accumulation);
    return {
      step,
      examples: total(stepBatches.map(({ length }) => length)),
      tokens: total(
        stepBatches.map((examples) => examples.reduce((sum, example) => sum + lengths[example]!, 0)),
      ),
      size: total(stepBatches.map((examples) => paddedTokens(examples, lengths))),
    };
  });
  steps.sort((a, b) => a.size - b.size);
  return spread(steps.length).map((at) => steps[at]!);
}

/** The supported values of `lr_scheduler_type` in Hugging Face's `TrainingArguments`. */
export const LR_SCHEDULER_TYPES = ['linear', 'cosine', 'constant', 'constant_with_warmup'] as const;
export type LrSchedulerType = (typeof LR_SCHEDULER_TYPES)[number];

/**
 * The factor of the base learning rate at a step, as `transformers.optimization` computes it.
 *
 * @param step optimizer steps taken so far, 0 for the first (so with warm-up, the first step has rate 0, as in
 * transformers)
 */
export function learningRateFactor(
  type: LrSchedulerType,
  step: number,
  warmupSteps: number,
  totalSteps: number,
): number {
  if (type === 'constant') return 1;
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  if (type === 'constant_with_warmup') return 1;
  const decaySteps = Math.max(1, totalSteps - warmupSteps);
  if (type === 'linear') return Math.max(0, (totalSteps - step) / decaySteps);
  return Math.max(0, 0.5 * (1 + Math.cos((Math.PI * (step - warmupSteps)) / decaySteps)));
}

/** Warm-up steps for a share of the run (`warmup_ratio`), rounded up as in Hugging Face's trainer. */
export function warmupStepsOf(ratio: number, totalSteps: number): number {
  return Math.ceil(totalSteps * ratio);
}

import type { RunRecord } from './run-record.ts';

/** Mean number of examples per step. */
export function examplesPerStep({ start }: RunRecord): number {
  return start ? (start.train_examples * start.num_train_epochs) / start.total_steps : Number.NaN;
}

/** Mean number of examples per second over all reported steps, without evaluations. */
export function examplesPerSecond({ steps }: RunRecord): number {
  const rates = steps.map((step) => step.examples_per_second).filter((rate) => rate > 0);
  return rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0);
}

/** Mean milliseconds per step, without evaluations. */
export function stepMs(run: RunRecord): number {
  return (1000 * examplesPerStep(run)) / examplesPerSecond(run);
}

export function runMemoryMb({ steps, finish }: RunRecord): number | undefined {
  const peaks = [...steps, ...(finish ? [finish] : [])].map((event) => event.peak_memory_mb);
  const known = peaks.filter(Number.isFinite);
  return known.length === 0 ? undefined : known.reduce((most, peak) => Math.max(most, peak));
}

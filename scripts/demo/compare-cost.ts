import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainEvent } from '../../src/training/run/events.ts';

export interface Cost {
  examplesPerSecond: number;
  trainedParameters: number;
  peakMemoryMb: number;
}

/** The training cost of a run's first steps, from its log. Every log entry must cover the same number of steps. */
export function costOf(run: string, steps: number): Cost {
  const events: TrainEvent[] = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const start = events.find((event) => event.type === 'start');
  const reports = events.filter((event) => event.type === 'step').filter(({ step }) => step <= steps);
  const seconds = reports.reduce((sum, { examples_per_second }) => sum + 1 / examples_per_second, 0);
  return {
    examplesPerSecond: reports.length / seconds,
    trainedParameters: start?.trainable_parameters ?? Number.NaN,
    peakMemoryMb: Math.max(...reports.map(({ peak_memory_mb }) => peak_memory_mb)),
  };
}

import type { TrainEvent } from '../../src/training/run/events.ts';
import type { Workspace } from './workspace.ts';

const TIMES = [
  'examples_per_second',
  'eval_runtime',
  'eval_samples_per_second',
  'startup_ms',
  'peak_memory_mb',
  'total_runtime',
  'train_runtime',
  'train_samples_per_second',
];

/**
 * The log of a run, without what differs between equal runs: folder, times, memory, and the start events of resumes.
 */
export function comparableLog(
  workspace: Workspace,
  output: string,
  without: readonly TrainEvent['type'][] = [],
): string[] {
  return workspace
    .events(output)
    .filter(({ type }, at) => !without.includes(type) && (type !== 'start' || at === 0))
    .map((event) => {
      const rest = Object.entries(event).filter(([name]) => !TIMES.includes(name));
      const line = JSON.stringify(Object.fromEntries(rest));
      return line.replaceAll(`"${output}/`, '"').replace(`"output":"${output}"`, '"output":""');
    });
}

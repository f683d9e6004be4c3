import { settingsText } from '../settings.ts';
import type { ExperimentResults } from './experiment-results.ts';

/** Formats every score of every run as CSV, one score per line. */
export function resultsCsv({ tasks }: ExperimentResults): string {
  const head = [
    'task',
    'row',
    'chosen',
    'seed',
    'score',
    'value',
    'steps',
    'parameters',
    'seconds',
    'memory_mb',
  ];
  const lines = tasks.flatMap(({ task, rows }) =>
    rows.flatMap(({ row, choice, runs }) =>
      runs.flatMap((run) =>
        Object.entries(run.scores).map(([score, value]) => [
          ...[task, row, settingsText(choice ?? {}), run.seed, score, value],
          ...[run.steps, run.parameters, run.seconds, run.memoryMb],
        ]),
      ),
    ),
  );
  return [head, ...lines].map((cells) => `${cells.map(field).join(',')}\r\n`).join('');
}

function field(value: unknown): string {
  const text = value === undefined || Number.isNaN(value) ? '' : `${value}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

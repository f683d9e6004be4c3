import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { atomicWrite } from '../../../formats/node/atomic-write.ts';
import { readText } from '../../../formats/node/read-text.ts';
import { readRunRecord } from '../../../report/node/read-run-record.ts';
import { sweepMarkdown } from '../../sweep/sweep-markdown.ts';
import { type SweepResults, sweepResults } from '../../sweep/sweep-results.ts';
import { type SweepRun, sweptConfig } from '../../sweep/sweep-runs.ts';
import { filesBeside } from '../runs/files-beside.ts';
import { isFinished } from '../runs/train-all.ts';
import { writeTable } from '../runs/write-table.ts';

/**
 * Writes what the finished runs of a sweep come to: `table.md`, `table.json`, `report.html`, and the chosen config on all
 * training rows, `best.yaml`. Undefined where none is finished.
 *
 * @param runs all of the sweep's, also those of other shards, where they are there
 */
export function writeSweep(
  runs: readonly SweepRun[],
  output: string,
): { results: SweepResults; markdown: string } | undefined {
  const finished = runs.filter(isFinished);
  if (finished.length === 0) return undefined;
  const { metric_for_best_model: metric, greater_is_better: greaterIsBetter } = sweptConfig(
    finished[0],
  ).training;
  const results = sweepResults(
    runs.map((run) => ({
      ...run,
      ...(finished.includes(run) ? { record: recordOf(run) } : { failure: failureOf(run, output) }),
    })),
    { metric, greaterIsBetter },
  );
  const markdown = sweepMarkdown(results);
  writeTable(output, results, markdown, finished);
  const chosen = runs.find(({ config }) => results.best?.runs.includes(config.output as string));
  if (chosen) {
    const config = { ...chosen.whole, output: join(output, 'best') };
    atomicWrite(join(output, 'best.yaml'), stringify(config, { aliasDuplicateObjects: false }));
  }
  return { results, markdown };
}

function failureOf({ name }: SweepRun, output: string): string | undefined {
  const { failure } = filesBeside(output, name);
  return existsSync(failure) ? readText(failure, "a run's failure") : undefined;
}

function recordOf({ config, name }: SweepRun) {
  return readRunRecord(config.output as string, name);
}

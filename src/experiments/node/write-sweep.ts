import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readText } from '../../formats/node/read-text.ts';
import { readRunRecord } from '../../report/node/read-run-record.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import { scoringRule } from '../scoring-rule.ts';
import { sweepMarkdown } from '../sweep/sweep-markdown.ts';
import { bestName, type SweepResults, sweepResults } from '../sweep/sweep-results.ts';
import { type SweepRun, sweptConfig } from '../sweep/sweep-runs.ts';
import { filesBeside } from './files-beside.ts';
import { isFinished } from './train-all.ts';
import { writeTable } from './write-table.ts';

/**
 * Writes the results of a sweep's finished runs: `table.md`, `table.json`, `report.html`. Also writes the
 * chosen config, for all training rows: `best.yaml`, or one file per method. Undefined if no run is finished.
 *
 * @param runs all runs of the sweep, including those of other shards
 */
export function writeSweep(
  runs: readonly SweepRun[],
  output: string,
): { results: SweepResults; markdown: string } | undefined {
  const finished = runs.filter(isFinished);
  if (finished.length === 0) return undefined;
  const records = new Map(finished.map((run) => [run, readRunRecord(run.config.output as string, run.name)]));
  const outcomes = runs.map((run) => ({ ...run, record: records.get(run), failure: failureOf(run, output) }));
  const rule = scoringRule(sweptConfig(finished[0]!).training, [...records.values()]);
  const results = sweepResults(outcomes, rule);
  const markdown = sweepMarkdown(results);
  writeTable(output, results, markdown, finished);
  for (const row of results.best) {
    const chosen = runs.find(({ config }) => row.runs.includes(config.output as string));
    const name = bestName(row, results);
    const config = { ...chosen?.whole, output: join(output, name) };
    atomicWrite(join(output, `${name}.yaml`), stringify(config, { aliasDuplicateObjects: false }));
  }
  return { results, markdown };
}

function failureOf({ name }: SweepRun, output: string): string | undefined {
  const { failure } = filesBeside(output, name);
  return existsSync(failure) ? readText(failure, "a run's failure") : undefined;
}

import { join } from 'node:path';
import { stringify } from 'yaml';
import { atomicWrite } from '../../../formats/node/atomic-write.ts';
import type { ReproductionRun } from '../../../recipes/reproduction.ts';
import { readRunRecord } from '../../../report/node/read-run-record.ts';
import { writeReport } from '../../../report/node/write-report.ts';
import { type RecipeResults, recipeResults } from '../../../report/results/results.ts';
import { resultsMarkdown } from '../../../report/results/results-markdown.ts';
import type { TrainEvent } from '../../../run/events.ts';
import { finishOf } from '../../../run/node/event-log.ts';
import { runFiles } from '../../../run/node/run-folder.ts';
import { runChild } from './run-child.ts';

export interface ReproduceOptions {
  /** The table's folder. */
  output: string;
  /** Told of each event of a run, and of its end. */
  onEvent?(run: ReproductionRun, event: TrainEvent): void;
  onEnd?(run: ReproductionRun, failure: string | undefined): void;
  signal?: AbortSignal;
}

/** How the runs of a table ended. */
export interface Reproduction {
  /** Runs that failed, with what they said. */
  failed: { name: string; message: string }[];
  /** Whether the signal ended it. */
  stopped: boolean;
}

/** Whether a run has come to its end. */
export function isFinished({ config }: ReproductionRun): boolean {
  return finishOf(runFiles(config.output as string).metrics) !== undefined;
}

/** Does runs one after the other, each in its folder, and passes over those that are finished. */
export async function reproduce(
  runs: readonly ReproductionRun[],
  options: ReproduceOptions,
): Promise<Reproduction> {
  const { output, onEvent, onEnd, signal } = options;
  const failed: Reproduction['failed'] = [];
  for (const run of runs) {
    if (signal?.aborted) return { failed, stopped: true };
    if (isFinished(run)) continue;
    const file = join(output, 'configs', `${run.name.replaceAll('/', '-')}.yaml`);
    atomicWrite(file, stringify(run.config, { aliasDuplicateObjects: false }));
    const { code, message } = await runChild(file, (event) => onEvent?.(run, event), signal);
    if (signal?.aborted) return { failed, stopped: true };
    if (code !== 0) failed.push({ name: run.name, message });
    onEnd?.(run, code === 0 ? undefined : message);
  }
  return { failed, stopped: false };
}

/**
 * Writes what the finished runs come to: `table.md`, `table.json`, `report.html`. Undefined where none is finished.
 *
 * @param runs all of the table's, also those of other shards, where they are there
 */
export function writeResults(
  runs: readonly ReproductionRun[],
  output: string,
  comparedWith: string,
): { results: RecipeResults[]; markdown: string } | undefined {
  const finished = runs.filter(isFinished);
  if (finished.length === 0) return undefined;
  const recipes = new Map(finished.map(({ recipe }) => [recipe.name, recipe]));
  const results = [...recipes.values()].map((recipe) => {
    const own = finished
      .filter((run) => run.recipe.name === recipe.name)
      .map(({ method, budget, config }) => ({
        method,
        budget,
        record: readRunRecord(config.output as string),
      }));
    return recipeResults({ ...recipe, runs: own }, comparedWith);
  });
  const markdown = resultsMarkdown(results, comparedWith);
  atomicWrite(join(output, 'table.md'), markdown);
  atomicWrite(join(output, 'table.json'), `${JSON.stringify(results, null, 2)}\n`);
  const folders = finished.map(({ config }) => config.output as string);
  writeReport(folders, join(output, 'report.html'));
  return { results, markdown };
}

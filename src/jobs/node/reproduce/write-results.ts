import type { ReproductionRun } from '../../../recipes/reproduction.ts';
import { readRunRecord } from '../../../report/node/read-run-record.ts';
import { type RecipeResults, recipeResults } from '../../../report/results/results.ts';
import { resultsMarkdown } from '../../../report/results/results-markdown.ts';
import { isFinished } from '../runs/train-all.ts';
import { writeTable } from '../runs/write-table.ts';

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
  writeTable(output, results, markdown, finished);
  return { results, markdown };
}

import { counted, duration } from '../format.ts';
import { scoreTitle } from '../run/names.ts';
import { methodTitleOf } from '../run/run-facts.ts';
import type { RecipeResults, ResultRow, ResultScore } from './results.ts';

/**
 * Results as Markdown: for each recipe a table with a row for each method. Scores are in per cent.
 *
 * @param comparedWith the method that the last column of each score compares with
 */
export function resultsMarkdown(results: readonly RecipeResults[], comparedWith: string): string {
  const title = methodTitleOf(comparedWith);
  const tables = results.map(({ title: what, rows }) => {
    const names = Object.keys(rows[0]?.scores ?? {});
    const head = [
      'method',
      'budget',
      'seeds',
      ...names.flatMap((name) => scoreColumns(name, title)),
      ...COSTS,
    ];
    return [
      `## ${what}`,
      '',
      line(head),
      line(head.map(() => '---')),
      ...rows.map((row) => line(cells(row, names))),
    ];
  });
  return `${tables.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const COSTS = ['parameters', 'time', 'memory'];

function scoreColumns(name: string, comparedWith: string): string[] {
  return [`${scoreTitle(name)}, mean ± sd`, '95 % interval', 'paper', `against ${comparedWith}`];
}

function cells(
  { method, budget = '', seeds, scores, parameters, seconds, memoryMb }: ResultRow,
  names: readonly string[],
) {
  return [
    methodTitleOf(method),
    budget,
    `${seeds.length}`,
    ...names.flatMap((name) => scoreCells(scores[name])),
    parameters === undefined ? '' : counted(parameters),
    seconds ? duration(seconds.mean) : '',
    memoryMb ? `${counted(memoryMb.mean)} MB` : '',
  ];
}

function scoreCells({ mean, deviation, half, paper, against }: ResultScore): string[] {
  return [
    deviation === undefined ? percent(mean) : `${percent(mean)} ± ${percent(deviation)}`,
    half === undefined ? '' : `${percent(mean - half)} to ${percent(mean + half)}`,
    paper === undefined ? '–' : percent(paper),
    against ? `${signed(against.difference.mean)} (p = ${against.p.toPrecision(2)})` : '',
  ];
}

const percent = (share: number) => (100 * share).toFixed(2);
const signed = (share: number) => `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`;
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

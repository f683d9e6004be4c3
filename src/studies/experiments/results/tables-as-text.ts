import { settingsText } from '../settings.ts';
import type { ExperimentResults } from './experiment-results.ts';
import { mainTable } from './main-table.ts';

const ESCAPED: Readonly<Record<string, string>> = {
  ...{ '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}' },
  ...{ '±': '$\\pm$', '−': '$-$', λ: '$\\lambda$', γ: '$\\gamma$' },
};

/** Formats all rows and tasks as a LaTeX table for the package booktabs. */
export function resultsLatex(results: ExperimentResults): string {
  const [head, ...rows] = mainTable(results).map((cells) => `${cells.map(escaped).join(' & ')} \\\\`);
  const columns = `l${'r'.repeat(mainTable(results)[0]!.length - 1)}`;
  return [
    '% \\usepackage{booktabs}',
    '\\begin{table}',
    '\\centering',
    `\\caption{${escaped(results.title)}}`,
    `\\begin{tabular}{${columns}}`,
    ...['\\toprule', head, '\\midrule', ...rows, '\\bottomrule'],
    '\\end{tabular}',
    '\\end{table}',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replace(/[\\~^±−λγ]|[&%$#_{}]/g, (character) => ESCAPED[character] ?? `\\${character}`);
}

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

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

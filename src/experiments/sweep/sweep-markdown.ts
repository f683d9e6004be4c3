import { averaged } from '../../metrics/scores.ts';
import { counted, duration } from '../../report/format.ts';
import { settingsText, valueText } from '../settings.ts';
import type { SweepResults, SweepRow } from './sweep-results.ts';

/**
 * Formats results as a Markdown table with one row per combination. The best row of each method is bold.
 * Failed runs are listed below, with the first line of their messages.
 */
export function sweepMarkdown({ metric, averages, rows, best, failed }: SweepResults): string {
  // A row lacks the settings of other methods.
  const keys = [...new Set(rows.flatMap(({ settings }) => Object.keys(settings)))];
  const scores = [...new Set([metric, ...rows.flatMap(({ scores }) => Object.keys(scores))])];
  const titles = scores.map((name) => averaged(name, averages[name]));
  const head = [...keys, 'runs', ...titles, 'time', 'memory'];
  const lines = rows.map((row) => {
    const cells = [
      ...keys.map((key) => (key in row.settings ? valueText(row.settings[key]) : '')),
      `${row.runs.length}/${row.of}`,
      ...scores.map((name) => scoreCell(row, name)),
      row.seconds ? duration(row.seconds.mean) : '',
      row.memoryMb ? `${counted(row.memoryMb.mean)} MB` : '',
    ];
    return line(best.includes(row) ? cells.map((cell) => (cell === '' ? '' : `**${cell}**`)) : cells);
  });
  const failures = failed.map(({ name, message }) => `- ${name}: ${message.split('\n', 1)[0]}`);
  const below = failures.length > 0 ? ['', 'Failed:', '', ...failures] : [];
  return `${[line(head), line(head.map(() => '---')), ...lines, ...below].join('\n')}\n`;
}

/** Describes a combination: `training.learning_rate 0.001, method lora`. */
export function describeSettings({ settings }: Pick<SweepRow, 'settings'>): string {
  return settingsText(settings) || 'its one combination';
}

function scoreCell({ scores }: SweepRow, name: string): string {
  if (!scores[name]) return '';
  const { mean, deviation } = scores[name];
  return deviation === undefined ? mean.toFixed(4) : `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`;
}

const line = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

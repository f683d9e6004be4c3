import { averaged } from '../../../scores/metrics/scores.ts';
import { counted, duration } from '../../report/format.ts';
import { scoreTitle } from '../../report/run/names.ts';
import { settingsText } from '../settings.ts';
import { commonText } from './common-text.ts';
import type { ExperimentResults } from './experiment-results.ts';
import { mainTable, parametersText } from './main-table.ts';
import { MAX_ROWS_IN_PAIRS, type PairTest, testOf } from './pair-tests.ts';
import type { RowResult, TaskResult } from './results.ts';

/** Results as Markdown: a table of all rows and tasks, then each task with its tests and remarks. */
export function resultsMarkdown(results: ExperimentResults): string {
  const { title, about, tasks } = results;
  const parts = [
    [`# ${title}`],
    about.map((line) => `- ${line}`),
    table(mainTable(results)),
    ...tasks.flatMap((task) => taskParts(task)),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

function taskParts(task: TaskResult): string[][] {
  const compared = task.rows.some(({ comparedWith }) => comparedWith !== undefined);
  const head = [
    'row',
    ...(task.rows.some(({ choice }) => choice) ? ['chosen'] : []),
    'seeds',
    ...task.scores.flatMap((name, i) => [
      `${averaged(scoreTitle(name), task.averages[name])}, mean ± sd`,
      '95 % interval',
      ...(hasPaper(task) ? ['paper'] : []),
      ...(compared && i === 0 ? ['against'] : []),
    ]),
    ...['parameters', 'time', 'memory'],
  ];
  return [
    [`## ${task.task}`],
    [
      `${task.data} with ${task.model}${task.baseDtype === 'float32' ? '' : ` over ${task.baseDtype}`}. ${task.rule.text}`,
      commonText(task.common),
    ].filter((line) => line !== ''),
    table([head, ...task.rows.map((row) => cells(row, task, compared))]),
    task.rows.map(settingsLine),
    ...(task.tests.length > 0 ? [[pairsTitle(task)], table(testRows(task))] : []),
    ...(task.remarks.length > 0 ? [['Limitations:'], task.remarks.map((remark) => `- ${remark}`)] : []),
  ];
}

function cells(row: RowResult, { scores, scales, tests, rows }: TaskResult, compared: boolean): string[] {
  const against = row.comparedWith === undefined ? undefined : testOf(tests, row.row, row.comparedWith);
  return [
    row.row,
    ...(rows.some(({ choice }) => choice) ? [row.choice ? settingsText(row.choice) : ''] : []),
    row.runs.length === row.of ? `${row.of}` : `${row.runs.length} of ${row.of}`,
    ...scores.flatMap((name, i) => {
      const { mean, deviation, half, paper } = row.scores[name]!;
      const show = (value: number) => (scales[name]! * value).toFixed(2);
      return [
        deviation === undefined ? show(mean) : `${show(mean)} ± ${show(deviation)}`,
        half === undefined ? '' : `${show(mean - half)} to ${show(mean + half)}`,
        ...(hasPaper({ rows }) ? [paper === undefined ? '–' : show(paper)] : []),
        ...(compared && i === 0
          ? [
              against
                ? `${against.second}: ${differenceText(against, scales[name]!)}${pText(against.p)}`
                : '–',
            ]
          : []),
      ];
    }),
    parametersText([row]),
    row.seconds ? duration(row.seconds.mean) : '',
    row.memoryMb ? `${counted(row.memoryMb.mean)} MB` : '',
  ];
}

/** The settings of a row, and the numbers of steps of its runs. */
function settingsLine({ row, settings, runs }: RowResult): string {
  const steps = [...new Set(runs.map(({ steps }) => counted(steps)))].join(' or ');
  return `- ${row}: ${[settingsText(settings), `${steps} steps`].filter((part) => part !== '').join('; ')}`;
}

function hasPaper({ rows }: Pick<TaskResult, 'rows'>): boolean {
  return rows.some(({ scores }) => Object.values(scores).some(({ paper }) => paper !== undefined));
}

function pairsTitle({ rows }: TaskResult): string {
  const pairs = rows.length > MAX_ROWS_IN_PAIRS ? 'Pairs of the best row' : 'All pairs';
  return `${pairs}, by the first score:`;
}

function testRows({ tests, scores: [score], scales }: TaskResult): string[][] {
  const head = ['', 'difference', '95 % interval', 'd', 't: p', 'Holm', 'Wilcoxon: p', 'Holm'];
  const scale = scales[score!]!;
  return [
    head,
    ...tests.map((test) => {
      const { mean, half } = test.difference;
      const ends =
        half === undefined ? '' : [mean - half, mean + half].map((end) => signed(scale * end)).join(' to ');
      return [
        `${test.first} – ${test.second}`,
        differenceText(test, scale),
        ends,
        test.effect === undefined ? '–' : signed(test.effect),
        ...[test.p, test.holm, test.wilcoxon, test.wilcoxonHolm].map((p) => p?.toPrecision(2) ?? '–'),
      ];
    }),
  ];
}

function differenceText({ difference }: PairTest, scale: number): string {
  return signed(scale * difference.mean);
}

const pText = (p: number | undefined) => (p === undefined ? '' : ` (p = ${p.toPrecision(2)})`);
const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

function table([head, ...rows]: readonly (readonly string[])[]): string[] {
  return [head!, head!.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
}

import { averaged } from '../../../scores/metrics/scores.ts';
import { counted, duration } from '../../report/format.ts';
import { scoreTitle } from '../../report/run/group-runs.ts';
import { type Settings, settingsText } from '../settings.ts';
import { type ExperimentResults, mainTable, parametersText } from './main-table.ts';
import {
  findTest,
  MAX_ROWS_IN_PAIRS,
  type PairTest,
  type RowResult,
  type RowScore,
  type TaskResult,
} from './results.ts';

/** The main settings that all rows have in common, as a sentence. Empty if they have none in common. */
function commonText(common: Settings): string {
  const parts = [...trainingParts(common), ...lengthParts(common)];
  return parts.length > 0 ? `All rows: ${parts.join(', ')}.` : '';
}

function trainingParts(common: Settings): string[] {
  const part = (key: string, words: (value: number) => string) => {
    const value = common[`training.${key}`] as number | undefined;
    return value === undefined ? [] : [words(value)].filter((text) => text !== '');
  };
  const steps = common['training.max_steps'];
  return [
    ...part('max_steps', (count) => (count > 0 ? `${count} steps` : '')),
    // `max_steps` overrides the epochs.
    ...(steps === -1
      ? part('num_train_epochs', (count) => `${count} ${count === 1 ? 'epoch' : 'epochs'}`)
      : []),
    ...part('per_device_train_batch_size', (size) => `batch size ${size}`),
    ...part('gradient_accumulation_steps', (count) => (count > 1 ? `${count} batches per step` : '')),
    ...part('learning_rate', (rate) => `learning rate ${rate}`),
    ...part('lr_scheduler_type', (name) => `${name} schedule`),
    ...warmupParts(common),
    ...part('weight_decay', (decay) => `weight decay ${decay}`),
  ];
}

/** `warmup_steps` overrides `warmup_ratio`. */
function warmupParts(common: Settings): string[] {
  const { 'training.warmup_steps': steps, 'training.warmup_ratio': ratio } = common;
  if (typeof steps !== 'number') return [];
  if (steps > 0) return [`${steps} warm-up steps`];
  if (typeof ratio !== 'number') return [];
  return [ratio > 0 ? `warm-up for ${Number((100 * ratio).toPrecision(6))} % of the steps` : 'no warm-up'];
}

/** The limits of texts: `max_length`, and those of sources and targets. */
function lengthParts(common: Settings): string[] {
  return Object.entries(common).flatMap(([key, value]) => {
    const limit = /^data\.(max_(\w+_)?length)$/.exec(key)?.[1];
    return limit === undefined ? [] : [`${limit} ${value}`];
  });
}

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
  const columns = listColumns(task);
  return [
    [`## ${task.task}`],
    [
      `${task.data} with ${task.model}${task.baseDtype === 'float32' ? '' : ` over ${task.baseDtype}`}. ${task.rule.text}`,
      commonText(task.common),
    ].filter((line) => line !== ''),
    table([columns.map(([name]) => name), ...task.rows.map((row) => columns.map(([, cell]) => cell(row)))]),
    task.rows.map(settingsLine),
    ...(task.tests.length > 0 ? [[pairsTitle(task)], table(testRows(task))] : []),
    ...(task.remarks.length > 0 ? [['Limitations:'], task.remarks.map((remark) => `- ${remark}`)] : []),
  ];
}

type Column = readonly [name: string, cell: (row: RowResult) => string];

/** The columns of a task's table. Those without any content are left out. */
function listColumns({ scores, scales, averages, tests, rows }: TaskResult): Column[] {
  const shownIf = (isShown: boolean, column: Column) => (isShown ? [column] : []);
  const isCompared = rows.some(({ comparedWith }) => comparedWith !== undefined);
  const hasPaper = rows.some(({ scores }) => Object.values(scores).some(({ paper }) => paper !== undefined));
  const against = ({ row, comparedWith }: RowResult) => {
    const test = comparedWith === undefined ? undefined : findTest(tests, row, comparedWith);
    return test ? `${test.second}: ${differenceText(test, scales[scores[0]!]!)}${pText(test.p)}` : '–';
  };
  return [
    ['row', ({ row }) => row],
    ...shownIf(
      rows.some(({ choice }) => choice),
      ['chosen', ({ choice }) => (choice ? settingsText(choice) : '')],
    ),
    ['seeds', ({ runs, of }) => (runs.length === of ? `${of}` : `${runs.length} of ${of}`)],
    ...scores.flatMap((name, i): Column[] => {
      const show = (value: number) => (scales[name]! * value).toFixed(2);
      const column = (cell: (score: RowScore) => string) => (row: RowResult) => cell(row.scores[name]!);
      return [
        [
          `${averaged(scoreTitle(name), averages[name])}, mean ± sd`,
          column(({ mean, deviation }) =>
            deviation === undefined ? show(mean) : `${show(mean)} ± ${show(deviation)}`,
          ),
        ],
        [
          '95 % interval',
          column(({ mean, half }) =>
            half === undefined ? '' : `${show(mean - half)} to ${show(mean + half)}`,
          ),
        ],
        ...shownIf(hasPaper, ['paper', column(({ paper }) => (paper === undefined ? '–' : show(paper)))]),
        ...shownIf(isCompared && i === 0, ['against', against]),
      ];
    }),
    ['parameters', (row) => parametersText([row])],
    ['time', ({ seconds }) => (seconds ? duration(seconds.mean) : '')],
    ['memory', ({ memoryMb }) => (memoryMb ? `${counted(memoryMb.mean)} MB` : '')],
  ];
}

/** The settings of a row, and the numbers of steps of its runs. */
function settingsLine({ row, settings, runs }: RowResult): string {
  const steps = [...new Set(runs.map(({ steps }) => counted(steps)))].join(' or ');
  return `- ${row}: ${[settingsText(settings), `${steps} steps`].filter((part) => part !== '').join('; ')}`;
}

function pairsTitle({ rows }: TaskResult): string {
  const pairs = rows.length > MAX_ROWS_IN_PAIRS ? 'Pairs of the best row' : 'All pairs';
  return `${pairs}, by the first score:`;
}

function testRows({ tests, scores: [score], scales }: TaskResult): string[][] {
  const head = ['', 'difference', '95 % interval', 'd', 't: p', 'Holm'];
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
        ...[test.p, test.holm].map((p) => p?.toPrecision(2) ?? '–'),
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

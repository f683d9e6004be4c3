import { median } from '../median.ts';

/** A whole task: a program trains on a file, and another process predicts the test rows. */
export interface FileCell {
  task: string;
  program: string;
  seed: number;
  /** Seconds from the command to the model on disk, and the processor's (user and system). */
  train: Spent;
  /** The same from the command to the labels of all test rows. */
  predict: Spent;
  accuracy: number;
}

export interface Spent {
  seconds: number;
  processor: number;
}

export interface FileResults {
  machine: string;
  /** The machine's load before and after each call of the bench. */
  load: number[];
  rows: number;
  /** Number of test rows of each task. */
  testRows: Record<string, number>;
  cells: FileCell[];
}

/** The page of docs/results about these measurements, as Markdown. */
export function filePage({ machine, load, rows, testRows, cells }: FileResults): string {
  const tasks = Object.keys(testRows);
  const programs = [...new Set(cells.map(({ program }) => program))];
  const seeds = new Set(cells.map(({ seed }) => seed)).size;
  const lines = programs.map((program) => {
    const own = cells.filter((cell) => cell.program === program);
    const scores = tasks.map((task) => {
      const accuracies = own.filter((cell) => cell.task === task).map(({ accuracy }) => accuracy);
      return accuracies.map((one) => one.toFixed(3)).join(', ');
    });
    const shown = (spent: readonly Spent[]) =>
      `${median(spent.map(({ seconds }) => seconds)).toFixed(1)} s (${median(spent.map(({ processor }) => processor)).toFixed(1)})`;
    return [
      program,
      ...scores,
      shown(own.map(({ train }) => train)),
      shown(own.map(({ predict }) => predict)),
    ];
  });
  const head = ['', ...tasks.map((task) => `${task}, ${testRows[task]} rows`), 'train', 'predict'];
  const table = [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`);
  return `# From a file to a model

\`npm run bench:file\` writes this page and [from-file.json](from-file.json). Each program trains on the same ${rows} rows of a file and saves its model. Then
it predicts the same test rows in a new process. Seconds are those of the whole command, with the start of Python or Node. In brackets are the seconds
of the processor. They are medians over the tasks${seeds > 1 ? ` and ${seeds} draws of rows` : ''}; an accuracy is printed for each draw.

${table.join('\n')}

${machine}; load ${Math.min(...load).toFixed(1)} to ${Math.max(...load).toFixed(1)}. adalora chooses its settings by cross-validation on these rows, writes a report and
exports nothing. SetFit has 20 pairs per row, fastText 25 epochs with a rate of 1 and pairs of words; the rest are defaults. The encoder of SetFit and of logistic regression is
the same MiniLM (all-MiniLM-L6-v2).
`;
}

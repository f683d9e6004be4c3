import { folderFiles } from '../../input/formats/node/folder-files.ts';
import { largest, smallest } from '../../support/numbers.ts';
import { printable } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { componentHistories, lastImportance, strongestFirst } from '../../training/run/component-history.ts';
import { readImportanceLog } from '../../training/run/event-log.ts';

const BARS = [...'▁▂▃▄▅▆▇█'];
/** Maximum number of bars. More values are sampled evenly, including the first and the last. */
const MAX_BARS = 24;

/** Draws values as a line of bars, scaled from the smallest to the largest value. */
export function sparkline(values: readonly number[]): string {
  const count = Math.min(values.length, MAX_BARS);
  const sampled = Array.from(
    { length: count },
    (_, i) => values[count === 1 ? 0 : Math.round((i * (values.length - 1)) / (count - 1))]!,
  );
  const finite = sampled.filter(Number.isFinite);
  const [low, high] = [smallest(finite), largest(finite)];
  const level = (value: number) =>
    high > low ? Math.round(((value - low) / (high - low)) * (BARS.length - 1)) : 0;
  return sampled.map((value) => (Number.isFinite(value) ? BARS[level(value)] : ' ')).join('');
}

/** Number of components that are shown without `json`. */
const SHOWN = 20;

/**
 * Prints how the importance of a run's components changes over time. The components with the highest final
 * importance come first. With `json`, prints all components as JSON Lines.
 */
export function showImportance(folder: string, json: boolean | undefined): void {
  const log = readImportanceLog(folderFiles(folder));
  if (!log)
    throw new UserError({
      where: folder,
      fault: 'has no log of importance',
      hint: 'Train with --set training.log_importance=all, and a method that allocates ranks, such as adalora.',
    });
  const steps = log.rows.map(({ step }) => step);
  const histories = componentHistories(log);
  if (json) {
    for (const history of histories) console.log(JSON.stringify(history));
    return;
  }
  const sorted = strongestFirst(histories).slice(0, SHOWN);
  const width = largest(sorted.map(({ module }) => module.length));
  for (const history of sorted) {
    const { module, component, importance, kept } = history;
    const fate = kept.at(-1) ? 'kept' : `dropped at step ${steps[kept.lastIndexOf(true) + 1]}`;
    console.log(
      printable(
        `${module.padEnd(width)}  ${`${component}`.padStart(3)}  ${sparkline(importance)}  ${lastImportance(history).toExponential(2)}  ${fate}`,
      ),
    );
  }
  const returned = histories.filter(({ kept }) => kept.some((is, i) => is && i > 0 && !kept[i - 1])).length;
  console.log(
    `${histories.length} components at ${steps.length} allocations, steps ${steps[0]} to ${steps.at(-1)}; ${returned} came back after they were dropped`,
  );
}

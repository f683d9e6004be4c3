import type { RowEstimate } from '../../jobs/node/reproduce/estimate-runs.ts';
import type { NamedRun } from '../../jobs/node/runs/train-all.ts';
import type { TrainEvent } from '../../run/events.ts';
import { counted, duration } from './describe-event.ts';
import { ERASE_LINE, type Screen } from './screen.ts';
import { type Display, trainDisplay } from './train-display.ts';

/** Prints what to expect of each row as it is measured, and after the last of them all that the runs take. */
export function planDisplay(screen: Screen, runs: number): (row: RowEstimate) => void {
  let [told, total] = [0, 0];
  return ({ run, runs: count, steps, seconds, failure }) => {
    const time = seconds === undefined ? `not measured: ${failure}` : `${count} × ${duration(seconds)}`;
    screen.write(`${run.row}: ${counted(steps)} steps, ${time}\n`);
    told += count;
    total += count * (seconds ?? 0);
    if (told === runs) screen.write(`${counted(runs)} runs, some ${duration(total)} on this machine\n\n`);
  };
}

/** Shows the runs one after the other: where each stands in a line that is redrawn, and how it ended. */
export function runsDisplay<Run extends NamedRun>(screen: Screen, runs: readonly Run[]) {
  let current: { run: Run; display: Display } | undefined;
  // On a screen that keeps every line a run is its evaluations and its end.
  const isTold = ({ type }: TrainEvent) =>
    screen.isTTY === true || type === 'evaluation' || type === 'finish';
  const place = (run: Run) => `[${runs.indexOf(run) + 1}/${runs.length}] ${run.name}`;
  return {
    onEvent(run: Run, event: TrainEvent): void {
      if (current?.run !== run) {
        screen.write(`${place(run)}\n`);
        const { metric_for_best_model: metric = 'loss' } = (run.config.training ?? {}) as {
          metric_for_best_model?: string;
        };
        current = { run, display: trainDisplay(screen, metric, undefined, isTold) };
      }
      current.display.show(event);
    },
    onEnd(run: Run, failure: string | undefined): void {
      current?.display.close();
      if (failure !== undefined) screen.write(`${screen.isTTY ? ERASE_LINE : ''}${place(run)} failed\n`);
    },
  };
}

import {
  type Cell,
  countRuns,
  type Experiment,
  type ExperimentRun,
} from '../../../studies/experiments/experiment.ts';
import { counted, countedNoun } from '../../../studies/report/format.ts';
import { addUp } from '../../../support/numbers.ts';
import type { TrainEvent } from '../../../training/run/events.ts';
import { ERASE_LINE, type Screen } from './screen.ts';
import { type Display, trainDisplay } from './train-display.ts';

/** A preview of an experiment: one line per row and task, then the number of runs. */
export function describeExperiment(
  experiment: Experiment,
  cells: readonly Cell[],
  steps: ReadonlyMap<Cell, number> = new Map(),
): string {
  const lines = cells.map((cell) => {
    const { task, row, grid } = cell;
    const count = steps.get(cell);
    const length = count === undefined ? '' : ` of ${counted(count)} steps`;
    const tuning = grid.length > 1 ? `${grid.length} choices, then ` : '';
    return `${task}, ${row}: ${tuning}${countedNoun(experiment.seeds.length, 'run')}${length}`;
  });
  const runs = addUp(cells, (cell) => countRuns(experiment, cell).runs);
  return `${[...lines, countedNoun(runs, 'run')].join('\n')}\n`;
}

type Run = Pick<ExperimentRun, 'name' | 'config'>;

/**
 * Shows runs one after another. While a run is in progress, its line is redrawn.
 *
 * @param names the names of all runs in order; their positions are shown as numbers
 */
export function runsDisplay(screen: Screen, names: readonly string[]) {
  let current: { run: Run; display: Display } | undefined;
  // Without a terminal, only evaluations and the end of a run are shown.
  const isTold = ({ type }: TrainEvent) =>
    screen.isTTY === true || type === 'evaluation' || type === 'finish';
  const place = ({ name }: Run) =>
    names.includes(name) ? `[${names.indexOf(name) + 1}/${names.length}] ${name}` : name;
  return {
    onEvent(run: Run, event: TrainEvent): void {
      if (current?.run !== run) {
        screen.write(`${place(run)}\n`);
        const { metric_for_best_model: metric = 'loss' } = (run.config.training ?? {}) as {
          metric_for_best_model?: string;
        };
        current = { run, display: trainDisplay(screen, metric, { isTold, hasTable: false }) };
      }
      current.display.show(event);
    },
    onEnd(run: Run, failure: string | undefined): void {
      current?.display.close();
      if (failure === undefined) return;
      screen.write(`${screen.isTTY ? ERASE_LINE : ''}${place(run)} failed: ${failure.trim()}\n`);
    },
  };
}

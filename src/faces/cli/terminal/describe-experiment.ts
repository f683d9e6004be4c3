import { type Cell, type Experiment, runsOf } from '../../../studies/experiments/experiment.ts';
import { counted } from '../../../studies/report/format.ts';
import { clockTime } from './describe-event.ts';

/**
 * A preview of an experiment: one line per row and task, then the number of runs and their total time on this
 * machine.
 */
export function describeExperiment(
  experiment: Experiment,
  cells: readonly Cell[],
  { seconds, steps, failure }: { seconds?: number; steps: ReadonlyMap<Cell, number>; failure?: string },
): string {
  const lines = cells.map((cell) => {
    const { task, row, grid } = cell;
    const count = steps.get(cell);
    const length = count === undefined ? '' : ` of ${counted(count)} steps`;
    const tuning = grid.length > 1 ? `${grid.length} choices, then ` : '';
    return `${task}, ${row}: ${tuning}${experiment.seeds.length} ${experiment.seeds.length === 1 ? 'run' : 'runs'}${length}`;
  });
  const runs = cells.reduce((sum, cell) => sum + runsOf(experiment, cell).runs, 0);
  const time = seconds === undefined ? '' : `, about ${clockTime(seconds)} on this machine`;
  const unknown = failure === undefined ? '' : `\nnot measured: ${failure}`;
  return `${[...lines, `${counted(runs)} runs${time}`].join('\n')}${unknown}\n`;
}

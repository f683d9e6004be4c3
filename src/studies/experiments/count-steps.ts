import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { planAsked } from '../jobs/plan/plan.ts';
import { inFiles } from '../jobs/rows-in-memory.ts';
import type { Cell, Experiment } from './experiment.ts';
import type { ExperimentMachine } from './run-experiment.ts';

/**
 * The steps of each cell's run.
 *
 * @throws UserError like the runs themselves
 */
export async function countSteps(
  machine: ExperimentMachine,
  { output }: Experiment,
  cells: readonly Cell[],
): Promise<ReadonlyMap<Cell, number>> {
  const known = new Map<string, number>();
  const counts = new Map<Cell, number>();
  for (const cell of cells) {
    const key = lengthKey(cell);
    const parse = () => inFiles(parseRunConfig({ ...cell.config, output }, cell.row));
    const steps = known.get(key) ?? (await planAsked(machine, parse())).steps;
    known.set(key, steps);
    counts.set(cell, steps);
  }
  return counts;
}

const LENGTH_KEYS = [
  'num_train_epochs',
  'max_steps',
  'stop_at_step',
  'per_device_train_batch_size',
  'gradient_accumulation_steps',
];

/** The settings on which the length of a run depends. Cells with equal ones have one plan. */
function lengthKey({ config }: Cell): string {
  const { task, model, model_config, model_init, data, training } = config;
  const lengths = Object.entries(Object(training)).filter(([key]) => LENGTH_KEYS.includes(key));
  return JSON.stringify([task, model, model_config, model_init, data, lengths]);
}

import { methodNamed } from '../../methods/tuners/registry.ts';
import { addUp } from '../../support/numbers.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { measureBases } from '../jobs/calibration/measure-bases.ts';
import { type Plan, planAsked } from '../jobs/plan/plan.ts';
import { inFiles } from '../jobs/rows-in-memory.ts';
import { type Cell, countRuns, type Experiment } from './experiment.ts';
import type { ExperimentMachine } from './run-experiment.ts';

/**
 * Relative cost of a step that trains all weights. It computes three products per weight; an adapter's step
 * computes two.
 */
const WHOLE_MODEL = 1.5;

/**
 * Roughly estimates how many seconds an experiment takes on this machine. One run is measured for some
 * seconds in its own process. Other runs are assumed to take the same time per token.
 *
 * @returns the total seconds (undefined if the measurement failed), and the steps of each cell's run
 * @throws UserError like the runs themselves, or the signal's reason when it is aborted
 */
export async function estimate(
  machine: ExperimentMachine,
  experiment: Experiment,
  cells: readonly Cell[],
  signal?: AbortSignal,
): Promise<{ seconds?: number; steps: ReadonlyMap<Cell, number>; failure?: string }> {
  const known = new Map<string, Plan>();
  const plans = new Map<Cell, Plan>();
  for (const cell of cells) {
    const key = lengthKey(cell);
    const planned = known.get(key) ?? (await planAsked(machine, inFiles(parseCell(experiment, cell))));
    known.set(key, planned);
    plans.set(cell, planned);
  }
  const steps = new Map([...plans].map(([cell, { steps }]) => [cell, steps]));
  const [first] = cells;
  const measured = plans.get(first!) as Plan;
  const base = measured.bases.filter(({ dtype }) => dtype === measured.baseDtype);
  const { measured: found, failure } = (
    await measureBases(machine, parseCell(experiment, first!), base, { signal, isQuick: true })
  )[0]!;
  if (!found) return { steps, failure };
  const cost = (cell: Cell) => {
    const { tokens, steps, stepsPerEpoch } = plans.get(cell) as Plan;
    const { trains } = methodNamed(parseCell(experiment, cell).method);
    return ((tokens * steps) / stepsPerEpoch) * (trains === 'model' ? WHOLE_MODEL : 1);
  };
  const all = addUp(cells, (cell) => cost(cell) * countRuns(experiment, cell).wholes);
  return { steps, seconds: (found.runSeconds * all) / cost(first!) };
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

function parseCell({ output }: Experiment, { config, row }: Cell) {
  return parseRunConfig({ ...config, output }, row);
}

import { measureBases } from '../../jobs/node/calibration/measure-bases.ts';
import { plan } from '../../jobs/node/plan.ts';
import type { Plan } from '../../jobs/plan/plan.ts';
import { parseRunConfig } from '../../run/config/parse-run-config.ts';
import { methodNamed } from '../../tuners/registry.ts';
import type { Cell, Experiment } from '../experiment.ts';
import { runsOf } from '../plan.ts';

/**
 * Relative cost of a step that trains all weights. It computes three products per weight; an adapter's step
 * computes two.
 */
const WHOLE_MODEL = 1.5;

/**
 * Roughly estimates how many seconds an experiment takes on this machine. One run is measured for some
 * seconds in its own process. Other runs are assumed to take the same time per token.
 *
 * @returns the total seconds (undefined if the measurement failed), and the steps of a run by task
 * @throws UserError like the runs themselves, or the signal's reason when it is aborted
 */
export async function estimate(
  experiment: Experiment,
  cells: readonly Cell[],
  signal?: AbortSignal,
): Promise<{ seconds?: number; steps: ReadonlyMap<string, number>; failure?: string }> {
  const plans = new Map<string, Plan>();
  for (const cell of cells)
    if (!plans.has(cell.task)) plans.set(cell.task, await plan(configOf(experiment, cell)));
  const steps = new Map([...plans].map(([task, { steps }]) => [task, steps]));
  const [first] = cells;
  const measured = plans.get(first!.task) as Plan;
  const base = measured.bases.filter(({ dtype }) => dtype === measured.baseDtype);
  const { measured: found, failure } = (
    await measureBases(configOf(experiment, first!), base, {
      signal,
      isQuick: true,
    })
  )[0]!;
  if (!found) return { steps, failure };
  const cost = (cell: Cell) => {
    const { tokens, steps, stepsPerEpoch } = plans.get(cell.task) as Plan;
    const { trains } = methodNamed(configOf(experiment, cell).method);
    return ((tokens * steps) / stepsPerEpoch) * (trains === 'model' ? WHOLE_MODEL : 1);
  };
  const all = cells.reduce((sum, cell) => sum + cost(cell) * runsOf(experiment, cell).wholes, 0);
  return { steps, seconds: (found.runSeconds * all) / cost(first!) };
}

function configOf({ output }: Experiment, { config, row }: Cell) {
  return parseRunConfig({ ...config, output }, row);
}

import { parseRunConfig } from '../../run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../run/config/run-config.ts';
import type { Calibration } from '../calibration/calibration.ts';
import type { Plan } from '../plan/plan.ts';
import { type NetworkSpeed, type Scaling, scaling } from '../plan/scaling.ts';
import { asAlone } from './as-alone.ts';
import { plan } from './plan.ts';

/**
 * The cost of a run in several processes, each on a host like this one.
 *
 * @param alone the plan for the config in one process
 * @param measured the measured cost of its steps
 */
export async function planScaling(
  config: RunConfigInput,
  alone: Plan,
  measured: Calibration,
  processes: number,
  network: NetworkSpeed,
): Promise<Scaling> {
  const { steps } = await plan(asAlone(parseRunConfig(config, 'config'), { size: processes }));
  const computing = measured.msPerStep / 1000;
  const evaluations = Math.max(0, measured.runSeconds - alone.steps * computing);
  return scaling(
    { parameters: alone.trainableParameters, steps, computing, evaluations },
    processes,
    network,
  );
}

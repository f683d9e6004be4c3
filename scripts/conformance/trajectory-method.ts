import type { MethodRun } from '../../src/methods/tuners/method-run.ts';
import type { TunableModel } from '../../src/methods/tuners/tuner.ts';
import { startMethod } from '../../src/studies/jobs/set-up-run.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import type { Trajectory } from './read-case.ts';
import type { TrajectoryKind } from './trajectory-kinds.ts';

/** Sets up the method of a trajectory, as a run with this config would. */
export function trajectoryMethod(
  model: TunableModel,
  { tuner, training }: Trajectory,
  { method, section }: TrajectoryKind,
): MethodRun {
  const { kind: _, ...settings } = tuner;
  const given = section(settings);
  const config = parseRunConfig(
    {
      defaults: 'huggingface',
      model: '../base',
      ...(training.base_dtype && { base_dtype: training.base_dtype }),
      method,
      // A method without settings has no section, because a section would be rejected.
      ...(Object.keys(given).length > 0 && { [method]: given }),
      data: { train: 'batches', text: 0, label: 1 },
      output: 'none',
    },
    'trace.json',
  );
  return startMethod(config, model, training.steps).run;
}

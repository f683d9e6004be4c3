import { startMethod } from '../../src/jobs/start-method.ts';
import { parseRunConfig } from '../../src/run/config/parse-run-config.ts';
import type { MethodRun } from '../../src/tuners/method-run.ts';
import type { TunableModel } from '../../src/tuners/tuner.ts';
import type { Trajectory } from './read-case.ts';
import type { TrajectoryKind } from './trajectory-kinds.ts';

/** The method of a trajectory, set up as by a run's config. */
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
      method,
      // A section for a method without settings is rejected, because they would be ignored.
      ...(Object.keys(given).length > 0 && { [method]: given }),
      data: { train: 'batches', text: 0, label: 1 },
      output: 'none',
    },
    'trace.json',
  );
  return startMethod(config, model, training.steps).run;
}

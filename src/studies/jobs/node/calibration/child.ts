import { peakMemoryMb } from '../../../../support/node/process-status.ts';
import { fileError } from '../../../../support/user-error.ts';
import type { ParsedConfig } from '../../../../training/run/config/run-config.ts';
import { calibrate } from '../../calibration/calibrate.ts';
import type { Calibration, CalibrationProgress } from '../../calibration/calibration.ts';
import { loadRun, openBase } from '../load-run.ts';
import { readRun } from '../read-run.ts';

/** A process's job: to make the base of a run, or to measure the run. */
export interface ChildJob {
  kind: 'base' | 'calibration';
  config: ParsedConfig;
  isQuick?: boolean;
}

/** The final answer. `made` is false if the base existed already. */
export type ChildAnswer = { made: boolean } | { measured: Calibration } | { failure: string };

/** A message: progress, or the final answer. */
export type ChildMessage = { progress: CalibrationProgress } | ChildAnswer;

const send = (message: ChildMessage, then = () => {}) => process.send?.(message, then);

process.once('message', async (job: ChildJob) => {
  // Without an explicit exit, the process would wait for the engine's threads.
  send(await answer(job).catch(failed), () => process.exit());
});
// Ctrl-C reaches both processes. This process ignores it, and the parent ends it.
process.on('SIGINT', () => {});
// The parent process has ended.
process.once('disconnect', () => process.exit());

async function answer({ kind, config, isQuick }: ChildJob): Promise<ChildAnswer> {
  const run = await readRun(config);
  if (kind === 'calibration') {
    const { inputs, settings } = await loadRun(run, new Date(), (what, share) =>
      send({ progress: { what, share } }),
    );
    const calibration = await calibrate(
      inputs,
      settings,
      run.config,
      (progress) => send({ progress }),
      isQuick,
    );
    return { measured: { peakMb: peakMemoryMb(), ...calibration } };
  }
  let made = false;
  const model = await openBase(run, (share) => {
    made = true;
    send({ progress: { what: 'base', share } });
  });
  model.close();
  return { made };
}

function failed(thrown: unknown): ChildAnswer {
  return { failure: (fileError(thrown) ?? (thrown as Error)).message };
}

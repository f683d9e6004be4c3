import { answerCalls } from '../../../../support/calls/answer-calls.ts';
import { peakMemoryMb } from '../../../../support/node/process-status.ts';
import type { ParsedConfig } from '../../../../training/run/config/run-config.ts';
import { calibrate } from '../../calibration/calibrate.ts';
import type { Calibration, CalibrationProgress } from '../../calibration/calibration.ts';
import { loadRun, openBase } from '../load-run.ts';
import { readRun } from '../read-run.ts';

type OnProgress = (progress: CalibrationProgress) => void;

/** The work of a process for one type of a run's base. */
const child = {
  /** Makes the base. Returns false if it exists already. */
  async makeBase(config: ParsedConfig, onProgress: OnProgress): Promise<boolean> {
    let made = false;
    const model = await openBase(await readRun(config), (share) => {
      made = true;
      onProgress({ what: 'base', share });
    });
    model.close();
    return made;
  },

  /** @param isQuick measures for fewer seconds */
  async measure(config: ParsedConfig, isQuick: boolean, onProgress: OnProgress): Promise<Calibration> {
    const run = await readRun(config);
    const { inputs, settings } = await loadRun(run, (what, share) => onProgress({ what, share }));
    const calibration = await calibrate(inputs, settings, run.config, onProgress, isQuick);
    return { peakMb: peakMemoryMb(), ...calibration };
  },
};

export type CalibrationChild = typeof child;

answerCalls(child, ['makeBase', 'measure'], {
  send: (message) => process.send?.(message),
  onMessage: (listener) => void process.on('message', listener),
});
// Ctrl-C reaches both processes. This process ignores it, and the parent ends it.
process.on('SIGINT', () => {});
// The parent process has ended.
process.once('disconnect', () => process.exit());

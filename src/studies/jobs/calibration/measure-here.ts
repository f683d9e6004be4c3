import { ALONE_PROCESSES } from '../../../program/parallel/communicator.ts';
import { type FolderMachine, withThreads } from '../machine.ts';
import { readRun } from '../read-run.ts';
import { loadRun } from '../set-up-run.ts';
import { calibrate } from './calibrate.ts';
import type { CalibrationChild } from './calibration.ts';

/** Makes and measures the bases of a run in this process. */
export function measureHere(machine: FolderMachine): CalibrationChild {
  return {
    async makeBase(config, onProgress) {
      let made = false;
      const progress = () => (share: number) => {
        made = true;
        onProgress({ what: 'base', share });
      };
      const run = await readRun(machine, config);
      const { model } = await machine.open(run, withThreads(config, ALONE_PROCESSES), progress);
      model.close();
      return made;
    },
    async measure(config, isQuick, onProgress) {
      const run = await readRun(machine, config);
      const { inputs, settings } = await loadRun(machine, run, (what, share) => onProgress({ what, share }));
      const calibration = await calibrate(inputs, settings, run.config, onProgress, isQuick);
      return { peakMb: machine.peakMemoryMb(), ...calibration };
    },
  };
}

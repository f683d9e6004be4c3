import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import { announce } from './announce.ts';
import { conclude, shareProbe } from './contenders/conclude.ts';
import { crossValidate } from './contenders/folds.ts';
import { fitLayerInLoss, fitProbe } from './contenders/frozen.ts';
import type { RunMachine } from './machine.ts';
import { encodeRows, measure, openBase, prepareRows, readFiles, resume, startTrainer } from './open-run.ts';
import { Run, type RunSurroundings } from './run.ts';
import { finish, judge } from './verdict/judge-run.ts';

/** The stages of a run, in their order. Each works on what those before it have found. The result `over` ends the run. */
export const STAGES: readonly ((run: Run) => Promise<unknown>)[] = [
  readFiles,
  resume,
  openBase,
  prepareRows,
  encodeRows,
  fitProbe,
  fitLayerInLoss,
  measure,
  startTrainer,
  announce,
  shareProbe,
  crossValidate,
  train,
  conclude,
  judge,
  finish,
];

/**
 * Does a whole training in this thread: reads and loads everything, trains, and stores the result. Nothing is stored
 * before everything is loaded. If the run is already finished, it ends as before.
 */
export async function trainRun(
  machine: RunMachine,
  config: ParsedConfig,
  surroundings: RunSurroundings,
): Promise<Run> {
  const run = new Run(machine, config, surroundings);
  try {
    for (const stage of STAGES) if ((await stage(run)) === 'over') break;
    return run;
  } finally {
    await run.close();
  }
}

/** Trains from the first step, or from that of the checkpoint, to the last. */
async function train(run: Run): Promise<void> {
  run.trained = await run.trainer.run();
}

import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import { announce } from './announce.ts';
import { conclude, shareProbe } from './contenders/conclude.ts';
import { crossValidate } from './contenders/folds.ts';
import { fitLayerInLoss, fitProbe } from './contenders/frozen.ts';
import type { RunMachine } from './machine.ts';
import { encodeRows, measure, openBase, prepareRows, readFiles, resume, startTrainer } from './open-run.ts';
import { Run, type RunSurroundings } from './run.ts';
import { Stopped } from './set-up-run.ts';
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
    for (const stage of STAGES) if ((await hearStop(run, stage)) === 'over') break;
    return run;
  } finally {
    await run.close();
  }
}

/** Runs a stage. If a stop ends it, the later stages end the run with its newest checkpoint. */
export async function hearStop(run: Run, stage: (typeof STAGES)[number]): Promise<unknown> {
  try {
    return await stage(run);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    if (run.trained) run.trained = { ...run.trained, reason: 'stopped' };
    return undefined;
  }
}

/** Trains from the first step, or from that of the checkpoint, to the last. */
export async function train(run: Run): Promise<void> {
  run.trained = await run.trainer.run();
}

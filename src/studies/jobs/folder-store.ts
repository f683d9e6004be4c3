import { stringify } from 'yaml';
import type { FolderFiles } from '../../input/formats/files.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import type { Communicator, Processes } from '../../program/parallel/communicator.ts';
import { Program } from '../../program/program.ts';
import type { Validation } from '../../program/validation.ts';
import { releasing } from '../../support/opened.ts';
import { readLength } from '../../training/run/checkpoint.ts';
import { readLastCheckpoint, writeCheckpoint } from '../../training/run/checkpoint-files.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import { openEventLog, openImportanceLog, readFinish } from '../../training/run/event-log.ts';
import type { FinishEvent, TrainEvent } from '../../training/run/events.ts';
import { openFolds } from '../../training/run/fold-files.ts';
import { otherRun, RUN_FILES, startedWith } from '../../training/run/run-files.ts';
import type { RunResult } from './contenders/conclude.ts';
import type { FolderMachine, OpenedBase } from './machine.ts';
import type { ReadRun } from './read-run.ts';
import type { RunStore } from './train-run.ts';
import { trainedFiles } from './trained-files.ts';

/**
 * Writes the adapter or model of a finished run, and its model card. The card is last, because it shows that a run is
 * complete.
 */
export async function writeTrained(
  folder: FolderFiles,
  run: ReadRun,
  result: RunResult,
  finish: FinishEvent,
  machine: Pick<FolderMachine, 'shareFiles'>,
): Promise<void> {
  const { trained, files, card } = await trainedFiles(run, result, finish);
  const to = folder.within(RUN_FILES[trained]);
  if (trained === 'model') await machine.shareFiles(run, to);
  for (const [name, content] of files) to.write(name, content);
  folder.write(RUN_FILES.card, card);
}

/** The folder of a run, and the run that is stored there. */
interface FolderStoreOptions {
  machine: FolderMachine;
  /** The path of the folder. */
  output: string;
  /** Whether to continue from the newest checkpoint, if there is one. */
  resume: boolean;
  /** Names of custom scores. */
  ownMetrics?: readonly string[] | undefined;
  processes: Processes;
  /** Called only in process 0. */
  onEvent(event: TrainEvent): void;
  /** Makes this process the only writer of the folder, and creates the folder if it is missing. */
  take(): void;
}

/** Stores a run in its folder. `emit` also writes the log. */
export function folderStore({
  machine,
  output,
  resume,
  ownMetrics,
  processes,
  onEvent,
  take,
}: FolderStoreOptions): RunStore & { emit(event: TrainEvent): void } {
  const { communicator } = processes;
  const folder = machine.folder(output);
  const checkpoints = folder.within(RUN_FILES.checkpoints);
  // Missing for a new run, and for one that began in a page and has only its checkpoint.
  const hasConfig = folder.has(RUN_FILES.config);
  let log: ((event: TrainEvent) => void) | undefined;
  let logImportance: ReturnType<typeof openImportanceLog> | undefined;
  const emit = (event: TrainEvent) => {
    log?.(event);
    onEvent(event);
  };
  /** The written config contains all defaults. */
  const writeConfig = (config: RunConfig) =>
    folder.write(RUN_FILES.config, stringify(config, { aliasDuplicateObjects: false }));
  return {
    emit,
    hasCheckpoints: true,
    async admit(run) {
      // These files are copied after training, but their problems should be reported before it.
      if (readMethod(run.config).definition.trains === 'model') await machine.shareFiles(run);
    },
    saved() {
      if (!resume) return undefined;
      const notice = (message: string) => emit({ type: 'notice', step: 0, message });
      const saved = readLastCheckpoint(checkpoints, notice);
      if (!saved) notice(`No checkpoint in ${output}. Starting from step 0.`);
      return saved;
    },
    lastLength: () => (hasConfig ? readLength(startedWith(folder, ownMetrics)) : undefined),
    finished: () => (folder.has(RUN_FILES.card) ? readFinish(folder) : undefined),
    otherRun: (config) => otherRun(config, folder, ownMetrics),
    begin({ config }, { saved, finished, isLonger }, measured) {
      take();
      if (!saved || !hasConfig || (finished && !isLonger)) writeConfig(config);
      log = openEventLog(folder, saved && { step: saved.state.step, path: saved.path });
      if (config.training.log_importance === 'all')
        logImportance = openImportanceLog(folder, saved?.state.step);
      if (measured) folder.write(RUN_FILES.rankPattern, `${JSON.stringify(measured.pattern, null, 2)}\n`);
    },
    onImportance: (...allocated) => logImportance?.(...allocated),
    save({ config }, state, { origin, isLonger }) {
      machine.assertLocked(output);
      const path = writeCheckpoint(checkpoints, state, origin, config.training.save_total_limit);
      // Resuming reads the config in the folder, and needs the original length. So an extended config replaces
      // it only after a checkpoint has stored that length.
      if (isLonger) writeConfig(config);
      return path;
    },
    folds: ({ config }, { fingerprint, startedAt }) =>
      openFolds(
        folder.within(RUN_FILES.folds),
        { fingerprint, startedAt },
        config.training.save_total_limit,
        communicator,
      ),
    async keep(run, opened, finish, result) {
      const isFirst = communicator.rank === 0;
      if (isFirst) await writeTrained(folder, run, result, finish, machine);
      const { config } = run;
      const { validation } = opened.inputs;
      // A linear layer is fitted again to the vectors over another base, so its scores say nothing about this one.
      if (config.base_dtype === 'float32' || !validation || run.onlyBase || result.layer) return;
      const trained = { tuner: result.method.tuner, values: result.values };
      const told = { config, rounded: finish.metrics, communicator };
      const message = await scoreOnFloat32(
        await machine.openFloat32(run, processes),
        trained,
        validation,
        told,
      );
      if (isFirst) emit({ type: 'notice', step: finish.step, message });
    },
  };
}

/** Scores an adapter over the original base, and compares the scores with those over its quantized base. */
async function scoreOnFloat32(
  { model, engine }: OpenedBase,
  { tuner, values }: { tuner: Tuner; values: Float32Array },
  validation: Validation,
  {
    config: { base_dtype, training },
    rounded,
    communicator,
  }: { config: RunConfig; rounded: Readonly<Record<string, number>>; communicator: Communicator },
): Promise<string> {
  const program = new Program(engine, model, tuner, { communicator });
  const used = { release: () => program.release().finally(() => model.close()) };
  return releasing(used, async () => {
    const scores: Record<string, number> = await validation.run(program, values);
    const name = `eval_${training.metric_for_best_model}`;
    const [there, here] = [rounded[name], scores[name]];
    const sentence = `With the float32 base model, ${name} is ${here!.toFixed(4)}`;
    // A run without evaluations has no scores to compare.
    if (there === undefined) return sentence;
    const difference = `${here! >= there ? '+' : '-'}${Math.abs(here! - there).toFixed(4)}`;
    return `${sentence} (${difference} compared with ${base_dtype}).`;
  });
}

import { stringify } from 'yaml';
import type { FolderFiles } from '../../input/formats/files.ts';
import type { LinearLayer } from '../../program/objectives/sentence-classifier.ts';
import { scoreDefinition } from '../../scores/metrics/scores.ts';
import { lastPart } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { checkpointName } from '../../training/run/checkpoint.ts';
import { listCheckpoints, readCheckpoint, stepOfCheckpoint } from '../../training/run/checkpoint-files.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { readTotalSteps } from '../../training/run/event-log.ts';
import type { FinishEvent } from '../../training/run/events.ts';
import { RUN_FILES, runYaml } from '../../training/run/run-files.ts';
import type { ReadRun } from './begin-run.ts';
import { tunedLayers } from './contenders/folds.ts';
import { encodeRun } from './encode-run.ts';
import type { FolderMachine, OpenedBase } from './machine.ts';
import { readRun } from './read-run.ts';
import type { Tuned } from './run.ts';
import { writeTrained } from './run-in-folder.ts';
import { beginTraining, computing, startMethod } from './set-up-run.ts';

/**
 * The path of a run's checkpoint.
 *
 * @param path the run in messages
 * @throws UserError with the steps of the checkpoints that exist
 */
function checkpointAt(run: FolderFiles, step: number, path: string): string {
  const checkpoints = run.within(RUN_FILES.checkpoints);
  const name = checkpointName(step);
  if (checkpoints.has(name)) return checkpoints.path(name);
  const steps = listCheckpoints(checkpoints).map(({ step }) => step);
  throw new UserError({
    key: '--checkpoint',
    fault:
      steps.length > 0
        ? `names step ${step}, but ${path} only has ${steps.length === 1 ? 'step' : 'steps'} ${steps.join(', ')}`
        : `names step ${step}, but ${path} has no checkpoints`,
    hint: 'training.save_total_limit sets how many are kept.',
  });
}

/**
 * Returns the path that a command opens, which is usually the given path. For a run's checkpoint, writes its
 * adapter or model to a folder next to it, and returns this folder.
 *
 * @param path a checkpoint's file, or any other path; with `step`, a run's folder
 * @throws UserError like {@link writeCheckpointAdapter}
 */
export async function trainedAt(machine: FolderMachine, path: string, step?: number): Promise<string> {
  const named = stepOfCheckpoint(lastPart(path));
  if (named === undefined && step === undefined) return path;
  if (named !== undefined && step !== undefined && named !== step)
    throw new UserError({ key: '--checkpoint', fault: `is ${step}, but ${path} is step ${named}` });
  const file = named === undefined ? checkpointAt(machine.folder(path), step as number, path) : path;
  const output = file.replace(/\.safetensors$/, '');
  await writeCheckpointAdapter(machine, file, machine.folder(output));
  return output;
}

/**
 * Writes the adapter or model of a checkpoint. Its run may be unfinished. The labels come from the run's data.
 *
 * @param file the path of the checkpoint
 * @param output an existing folder is overwritten
 * @throws UserError for a missing or damaged checkpoint, and for a run with unreadable data
 */
async function writeCheckpointAdapter(
  machine: FolderMachine,
  file: string,
  output: FolderFiles,
): Promise<void> {
  const checkpoints = machine.folder(file).within('..');
  const run = checkpoints.within('..');
  const { state } = readCheckpoint(checkpoints, lastPart(file));
  const given = runYaml(run, "the config of the checkpoint's run") as {
    training?: { metric_for_best_model?: string };
  };
  const metric = given.training?.metric_for_best_model;
  // Only the name of a custom score is known here.
  const ownMetrics = metric === undefined || scoreDefinition(metric) ? [] : [metric];
  const config = parseRunConfig(given, run.path(RUN_FILES.config), ownMetrics);
  const read = await readRun(machine, config);
  const opened = await machine.openFloat32(read);
  const { model } = opened;
  try {
    const { run: method } = startMethod(
      read.config,
      model,
      readTotalSteps(run) ?? state.step,
      read.start?.stored,
    );
    method.restore(state.method);
    output.write(RUN_FILES.config, stringify(config, { aliasDuplicateObjects: false }));
    const finish = { step: state.step, metrics: state.lastMetrics, ranks: method.ranks() } as FinishEvent;
    const { values } = state.tensors;
    const layer = await checkpointLayer(read, opened, { method, values });
    const written = { ...read, config: { ...read.config, output: output.name } };
    await writeTrained(
      output,
      written,
      { kind: 'tuned', model, method, values, layer, data: read.data },
      finish,
      machine,
    );
  } finally {
    model.close();
  }
}

/** Fits the linear layer of a model of sentence vectors, which a checkpoint does not have. */
async function checkpointLayer(
  files: ReadRun,
  base: OpenedBase,
  tuned: Tuned,
): Promise<LinearLayer | undefined> {
  if (!base.model.layer) return undefined;
  const examples = encodeRun(files, { startedAt: new Date() });
  const run = { files, base, examples };
  const training = beginTraining(run, examples.train);
  const all = Int32Array.from(examples.train.lengths.keys());
  const [layer] = await computing({ ...run, training }, tuned, (model) => tunedLayers(run, model, all));
  return layer;
}

import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { digestOf } from '../../../input/formats/node/content-digest.ts';
import { missingFile } from '../../../input/formats/node/file-source.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { readYaml } from '../../../input/formats/node/read-text.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { makeFolder } from '../../../input/store/node/make-folder.ts';
import type { EvaluatedRows } from '../../../program/example-set.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import type { LinearLayer } from '../../../program/objectives/sentence-classifier.ts';
import { Program } from '../../../program/program.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { scoreDefinition } from '../../../scores/metrics/scores.ts';
import { releasing } from '../../../support/opened.ts';
import { UserError } from '../../../support/user-error.ts';
import { checkpointName } from '../../../training/run/checkpoint.ts';
import { checkpointsIn, readCheckpoint, stepOfCheckpoint } from '../../../training/run/checkpoint-files.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { totalStepsOf } from '../../../training/run/event-log.ts';
import type { FinishEvent } from '../../../training/run/events.ts';
import { runFiles } from '../../../training/run/node/run-folder.ts';
import { openWeights } from '../../../use/trained/node/load-model.ts';
import type { Tuned } from '../contenders/conclude.ts';
import { tunedLayers } from '../contenders/folds.ts';
import { setUpRun } from '../set-up-run.ts';
import { startMethod } from '../start-method.ts';
import { type RunOfFiles, readRun } from './read-run.ts';
import { writeTrained } from './write-trained.ts';

/**
 * Returns the path that a command opens, which is usually the given path. For a run's checkpoint, writes its
 * adapter or model to a folder next to it, and returns this folder. The run may be unfinished. The labels
 * come from the run's data.
 *
 * @param path a checkpoint's file, or any other path; with `step`, a run's folder
 * @throws UserError for a missing or damaged checkpoint, and for a run with unreadable data
 */
export async function trainedAt(path: string, step?: number): Promise<string> {
  const named = stepOfCheckpoint(basename(path));
  if (named === undefined && step === undefined) return path;
  if (named !== undefined && step !== undefined && named !== step)
    throw new UserError({ key: '--checkpoint', fault: `is ${step}, but ${path} is step ${named}` });
  const file = named === undefined ? checkpointOf(path, step as number) : path;
  return writeAdapterOf(file, (named ?? step) as number);
}

function checkpointOf(run: string, step: number): string {
  const { checkpoints } = runFiles(run);
  const path = join(checkpoints, checkpointName(step));
  if (existsSync(path)) return path;
  const steps = checkpointsIn(folderFiles(checkpoints));
  throw new UserError({
    key: '--checkpoint',
    fault:
      steps.length > 0
        ? `names step ${step}, but ${run} only has ${steps.length === 1 ? 'step' : 'steps'} ${steps.join(', ')}`
        : `names step ${step}, but ${run} has no checkpoints`,
    hint: 'training.save_total_limit sets how many are kept.',
  });
}

async function writeAdapterOf(path: string, step: number): Promise<string> {
  const { state } = readCheckpoint(folderFiles(dirname(path)), basename(path));
  const files = runFiles(dirname(dirname(path)));
  if (!existsSync(files.config)) throw missingFile(files.config, "the config of the checkpoint's run");
  const given = readYaml(files.config, 'the config of a run') as {
    training?: { metric_for_best_model?: string };
  };
  const metric = given.training?.metric_for_best_model;
  // Only the name of a custom score is known here.
  const ownMetrics = metric === undefined || scoreDefinition(metric) ? [] : [metric];
  const config = parseRunConfig(given, files.config, ownMetrics);
  const run = await readRun(config);
  const model = openWeights(run.folder, run.model());
  try {
    const { run: method } = startMethod(
      run.config,
      model,
      totalStepsOf(folderFiles(dirname(dirname(path)))) ?? step,
      run.start?.stored,
    );
    method.restore(state.method);
    const folder = path.replace(/\.safetensors$/, '');
    makeFolder(folder);
    atomicWrite(runFiles(folder).config, stringify(config, { aliasDuplicateObjects: false }));
    const finish = { step, metrics: state.lastMetrics, ranks: method.ranks() } as FinishEvent;
    const { values } = state.tensors;
    const layer = await checkpointLayer(run, model, { method, values });
    writeTrained(
      { ...run, config: { ...run.config, output: folder } },
      { kind: 'tuned', model, method, values, layer, data: run.data },
      finish,
      digestOf,
    );
    return folder;
  } finally {
    model.close();
  }
}

/** Fits the linear layer of a model of sentence vectors, which a checkpoint does not have. */
async function checkpointLayer(
  run: RunOfFiles,
  model: LoadedModel,
  { method, values }: Tuned,
): Promise<LinearLayer | undefined> {
  if (!model.layer) return undefined;
  const engine = nodeEngine(model, run.config.device, { threads: run.config.threads });
  const opened = setUpRun(run, model, engine, { startedAt: new Date() });
  const program = new Program(engine, model, method.tuner);
  const all = Int32Array.from(opened.inputs.train.lengths.keys());
  const [layer] = await releasing(program, () =>
    tunedLayers(opened, opened.rows as EvaluatedRows, { program, values }, all),
  );
  return layer;
}

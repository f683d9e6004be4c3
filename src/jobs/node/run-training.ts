import { existsSync } from 'node:fs';
import { adapterParameters } from '../../tuners/low-rank/adapter-parameters.ts';
import type { FinishEvent, TrainEvent } from '../../run/events.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { Trainer } from '../../train/trainer.ts';
import { scoreOnFloat32 } from './score-on-float32.ts';
import { readLastCheckpoint, writeCheckpoint } from '../../run/node/checkpoint-file.ts';
import { finishOf, openEventLog } from '../../run/node/event-log.ts';
import { openModel } from '../../trained/node/load-model.ts';
import { loadRun } from './load-run.ts';
import { peakMemoryMb } from '../../support/node/peak-memory.ts';
import { readRun } from './read-run.ts';
import { checkRunFolder, makeRunFolder, runFiles } from '../../run/node/run-folder.ts';
import { fingerprintOf, otherRun } from '../../run/node/same-run.ts';
import { startNotices } from './starting-adapter.ts';
import { writeConfig, writeResults } from './write-results.ts';

export interface RunOptions {
  /** Continue from the newest checkpoint; without one from the start. */
  resume: boolean;
  onEvent(event: TrainEvent): void;
  shouldStop(): boolean;
}

/**
 * A whole run in this thread: loads everything, trains, and writes the run's folder. Until everything is loaded nothing
 * is written. A finished run that is to be resumed gives its result once more.
 */
export async function runTraining(given: RunConfig, options: RunOptions): Promise<FinishEvent> {
  checkRunFolder(given.output, options.resume);
  const run = await readRun(given);
  const { config, start, folder, labels } = run;
  const files = runFiles(config.output);
  const fingerprint = fingerprintOf(config, labels, [...run.dataFiles, ...(start?.files ?? [])]);
  const saved = options.resume ? readLastCheckpoint(files.checkpoints) : undefined;
  if (saved && saved.fingerprint !== fingerprint) throw otherRun(config, files);
  const finished = saved && existsSync(files.card) ? finishOf(files.metrics) : undefined;
  if (finished) {
    const message = `the run in ${config.output} has finished before, nothing is left to do`;
    options.onEvent({ type: 'notice', step: finished.step, message });
    options.onEvent(finished);
    return finished;
  }

  const began = saved?.began ?? new Date();
  const { model, method, settings, inputs } = await loadRun(run, began, (what, share) =>
    options.onEvent({ type: 'progress', step: 0, what, share }),
  );
  const { train, validation, values } = inputs;

  let log: (event: TrainEvent) => void = () => {};
  const emit = (event: TrainEvent) => {
    log(event);
    options.onEvent(event);
  };
  const trainer = new Trainer(inputs, settings, {
    emit,
    shouldStop: options.shouldStop,
    save: (state) =>
      writeCheckpoint(files.checkpoints, state, { fingerprint, began }, config.training.save_total_limit),
    peakMemoryMb,
  });
  if (saved) await trainer.restore(saved.state);
  await trainer.prepare();

  makeRunFolder(config.output);
  if (!saved) writeConfig(files.config, config);
  log = openEventLog(files.metrics, saved && { step: saved.state.step, path: saved.path });
  emit({
    type: 'start',
    step: trainer.step,
    total_steps: settings.totalSteps,
    num_train_epochs: settings.totalSteps / settings.stepsPerEpoch,
    train_examples: train.lengths.length,
    eval_examples: validation?.examples.lengths.length ?? 0,
    truncated: train.truncated + (validation?.examples.truncated ?? 0),
    trainable_parameters: values.length,
    adapter_parameters: adapterParameters(method.run.tuner.modules),
    ranks: method.run.ranks(),
    method: config.method,
    device: config.device,
    startup_ms: Math.round(1000 * process.uptime()),
  });
  const notices = startNotices(config, start);
  if (config.model_init === 'random') notices.push('every parameter is new (model_init: random)');
  else if (model.initialised.length > 0 && !start)
    notices.push(`not in the checkpoint, initialised: ${model.initialised.join(', ')}`);
  if (!saved) for (const message of notices) emit({ type: 'notice', step: 0, message });
  const finish = await trainer.run();
  if (finish.reason !== 'stopped') {
    writeResults({
      config,
      files,
      folder,
      model,
      method,
      data: run.data,
      labels,
      maxLength: run.maxLength,
      values: trainer.values,
      finish,
    });
  }
  if (config.base_dtype !== 'float32' && validation && finish.reason !== 'stopped') {
    const trained = { tuner: method.run.tuner, values: trainer.values };
    const plain = openModel(folder, run.build);
    const message = await scoreOnFloat32(plain, trained, validation, config, finish.metrics);
    emit({ type: 'notice', step: finish.step, message });
  }
  emit(finish);
  model.close();
  return finish;
}

import { existsSync } from 'node:fs';
import { maxLength } from '../../text/max-length.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import { adapterParameters } from '../../tuners/adapter-parameters.ts';
import { type EncodedSet, encodeSet } from '../encoded-set.ts';
import type { FinishEvent, TrainEvent } from '../events.ts';
import { createMethod } from '../method.ts';
import type { RunConfig } from '../run-config.ts';
import { Trainer } from '../trainer.ts';
import { trainerSettings } from '../trainer-settings.ts';
import { readLastCheckpoint, writeCheckpoint } from './checkpoint-file.ts';
import { finishOf, openEventLog } from './event-log.ts';
import type { RunData } from './load-data.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import { nodeEngine } from './node-engine.ts';
import { checkHead } from './open-adapter.ts';
import { peakMemoryMb } from './peak-memory.ts';
import { readRun } from './read-run.ts';
import { checkRunFolder, makeRunFolder, runFiles } from './run-folder.ts';
import { fingerprintOf, otherRun } from './same-run.ts';
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
  const { config, start, folder, data, numLabels } = await readRun(given);
  const files = runFiles(config.output);
  const fingerprint = fingerprintOf(config, data.labels.names, start?.files);
  const saved = options.resume ? readLastCheckpoint(files.checkpoints) : undefined;
  if (saved && saved.fingerprint !== fingerprint) throw otherRun(config, files);
  const finished = saved && existsSync(files.card) ? finishOf(files.metrics) : undefined;
  if (finished) {
    const message = `the run in ${config.output} has finished before, nothing is left to do`;
    options.onEvent({ type: 'notice', step: finished.step, message });
    options.onEvent(finished);
    return finished;
  }

  const model = loadModel(folder, config.task, numLabels);
  const settings = trainerSettings(config, data.train.length);
  const method = createMethod(config, model, settings.totalSteps, start);
  if (start) checkHead(model, method.run, `adapter: ${config.adapter}`);
  const { train, validation, padId } = encode(config, folder, model, data);
  const values = method.start ?? method.run.tuner.initialValues(config.seed, model.reader(config.seed));

  let log: (event: TrainEvent) => void = () => {};
  const emit = (event: TrainEvent) => {
    log(event);
    options.onEvent(event);
  };
  const trainer = new Trainer(
    { engine: nodeEngine(model, config.device), model, method: method.run, values, train, validation, padId },
    settings,
    {
      emit,
      shouldStop: options.shouldStop,
      save: (state) =>
        writeCheckpoint(files.checkpoints, state, fingerprint, config.training.save_total_limit),
      peakMemoryMb,
    },
  );
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
    train_examples: data.train.length,
    eval_examples: data.validation?.length ?? 0,
    truncated: train.truncated + (validation?.truncated ?? 0),
    trainable_parameters: values.length,
    adapter_parameters: adapterParameters(method.run.tuner.modules),
    method: config.method,
    device: config.device,
    startup_ms: Math.round(1000 * process.uptime()),
  });
  const notices = startNotices(config, start);
  if (model.initialised.length > 0 && !start)
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
      labels: data.labels.names,
      values: trainer.values,
      finish,
    });
  }
  emit(finish);
  model.close();
  return finish;
}

function encode(
  config: RunConfig,
  folder: string,
  model: LoadedModel,
  { train, validation, labels }: RunData,
): { train: EncodedSet; validation?: EncodedSet; padId: number } {
  const tokenizer = loadTokenizer(folder, { typeVocabSize: model.config.typeVocabSize });
  const length = maxLength(config.data.max_length, tokenizer.modelMaxLength, model.config.maxLength);
  const set = (rows: typeof train, file: string) =>
    encodeSet(rows, tokenizer, length, config.task, labels, file);
  return {
    train: set(train, config.data.train),
    validation: validation && set(validation, config.data.validation as string),
    padId: tokenizer.padId,
  };
}

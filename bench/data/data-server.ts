import { withBaseDtype } from '../../src/bases/node/with-base-dtype.ts';
import { writeAdapter } from '../../src/formats/adapters/node/adapter-folder.ts';
import { readRun } from '../../src/jobs/node/read-run.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { peakMemoryMb } from '../../src/support/node/peak-memory.ts';
import { Trainer, type TrainerHost } from '../../src/train/trainer.ts';
import { trainerSettings } from '../../src/train/trainer-settings.ts';
import { writeAdapterNotes } from '../../src/trained/node/adapter-notes.ts';
import { openModel } from '../../src/trained/node/load-model.ts';
import { createMethod } from '../../src/tuners/method.ts';
import { answer, nextRequest } from '../protocol.ts';
import { type DataRequest, dataConfig } from './data-cases.ts';

/*
 * Trains as `adalora train` does, a block of steps and an evaluation on request, as python/peft_data.py does: prepare (a
 * DataRequest), block, memory, save (an adapter folder), exit. Between two blocks the trainer waits where it asks whether
 * to stop.
 */

const request = (nextRequest() ?? process.exit()) as unknown as DataRequest;
const run = await readRun(dataConfig(request));
const { config } = run;
const model = await withBaseDtype(openModel(run.folder, run.build), config.base_dtype);
const { train, validation } = run.encode(new Date());
const settings = trainerSettings(config, train.lengths.length);
const method = createMethod(config, model, settings.totalSteps);
const values = method.run.tuner.initialValues(config.seed, model.reader(config.seed));

const block = { started: 0, examples: 0, reply: {} };

/** What training and evaluation took, from one to the next of its calls. */
function lap(examples: number): { examples: number; ms: number } {
  const now = performance.now();
  const ms = now - block.started;
  block.started = now;
  return { examples, ms };
}

const host: TrainerHost = {
  emit(event) {
    if (event.type === 'step') block.reply = { train: lap(block.examples) };
    if (event.type === 'evaluation') {
      const evaluate = lap(validation?.examples.lengths.length ?? 0);
      answer({ ...block.reply, evaluate });
    }
  },
  shouldStop: () => trainer.step % request.block_steps === 0 && !isAnotherBlockWanted(),
  save: () => '',
  peakMemoryMb,
};

function isAnotherBlockWanted(): boolean {
  for (let request = nextRequest(); request; request = nextRequest()) {
    if (request.op === 'memory') answer({ peak_mb: peakMemoryMb() });
    if (request.op === 'save') answer(save(request.folder));
    if (request.op === 'block') {
      Object.assign(block, { started: performance.now(), examples: 0 });
      return true;
    }
  }
  return false;
}

function save(folder: string): object {
  const adapter = method.exportAdapter?.(trainer.values, config.model);
  if (!adapter) throw new Error('the method has no adapter');
  writeAdapterNotes(folder, { task: config.task, data: run.data }, run.labels, run.maxLength);
  writeAdapter(folder, adapter.config, adapter.tensors);
  return {};
}

const counted = {
  ...train,
  batch(chosen: Int32Array, number: number) {
    block.examples += chosen.length;
    return train.batch(chosen, number);
  },
};
const trainer = new Trainer(
  { engine: nodeEngine(model, config.device), model, method: method.run, values, train: counted, validation },
  settings,
  host,
);
await trainer.prepare();
answer({});
await trainer.run();
process.exit(0);

import { join } from 'node:path';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { ALONE_PROCESSES } from '../../src/program/parallel/communicator.ts';
import { encodeRun } from '../../src/studies/jobs/encode-run.ts';
import { THIS_NODE } from '../../src/studies/jobs/node/machine.ts';
import { readRun } from '../../src/studies/jobs/read-run.ts';
import { beginTraining } from '../../src/studies/jobs/set-up-run.ts';
import { peakMemoryMb } from '../../src/support/node/process-status.ts';
import { Trainer, type TrainerHost } from '../../src/training/train/trainer.ts';
import { formatNotes, NOTES_FILE } from '../../src/use/trained/notes.ts';
import { writeAdapter } from '../../tests/support/adapter-folder.ts';
import { answer, nextRequest } from '../protocol.ts';
import { type DataRequest, dataConfig } from './data-cases.ts';

/*
 * Trains like `adalora train`, but does a block of steps and an evaluation on request, like
 * python/peft_data.py. Requests: prepare (a DataRequest), block, memory, save (an adapter folder), exit.
 * Between two blocks, the trainer waits in its stop check.
 */

const request = (nextRequest() ?? process.exit()) as unknown as DataRequest;
const run = await readRun(THIS_NODE, dataConfig(request));
const base = await THIS_NODE.open(run, ALONE_PROCESSES, () => () => {});
const examples = encodeRun(run, { startedAt: new Date() });
const { settings, inputs } = beginTraining({ files: run, base, examples }, examples.train);
const { method, train, validation } = inputs;

const block = { started: 0, examples: 0, reply: {} };

/** Time spent on training and evaluation since the last call. */
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
      const evaluate = lap(validation?.count ?? 0);
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
  const { config, data, labels, maxLength } = run;
  const adapter = method.store?.(trainer.values, config.model);
  if (!adapter) throw new Error('the method has no adapter');
  writeAdapter(folder, adapter);
  atomicWrite(join(folder, NOTES_FILE), formatNotes({ task: config.task, data }, labels, maxLength));
  return {};
}

const counted = {
  ...train,
  batch(chosen: Int32Array, number: number) {
    block.examples += chosen.length;
    return train.batch(chosen, number);
  },
};
const trainer = new Trainer({ ...inputs, train: counted }, settings, host);
await trainer.prepare();
answer({});
await trainer.run();
process.exit(0);

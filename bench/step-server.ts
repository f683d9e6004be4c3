import { readFileSync } from 'node:fs';
import { gatherJson } from '../src/program/parallel/communicator.ts';
import { joinProcesses } from '../src/program/parallel/node/join-processes.ts';
import { peakMemoryMb } from '../src/support/node/process-status.ts';
import { productRate } from './product-rate.ts';
import { serve } from './protocol.ts';
import { featureBatch, type StepSettings, type TrainingStep, trainingStep } from './training-step.ts';

/*
 * Takes training steps on request, like python/peft_step.py. Requests: prepare (a bench case, its
 * checkpoint's folder and the base type), step, memory, products, exit. With `features` in `prepare`, the request
 * features computes those of a batch instead of a step.
 */

const PROFILED_STEPS = 3;
const importedMb = process.memoryUsage.rss() / 2 ** 20;

let step: TrainingStep;
let features: () => Promise<unknown>;

const { communicator, leave } = await joinProcesses();
await serve(
  {
    async prepare(request) {
      const settings = request as unknown as StepSettings;
      if (request.features) {
        features = await featureBatch(settings);
        return {};
      }
      step = await trainingStep(settings, communicator);
      return { trainable: step.trainable };
    },
    async step() {
      const before = process.cpuUsage();
      const { engine, update, waiting, transfer } = await step.run();
      const { user, system } = process.cpuUsage(before);
      const times = { ms: engine + update, cpu: (user + system) / 1000, waiting, transfer };
      return { ...times, processes: gatherJson(communicator, times) };
    },
    async features() {
      const before = performance.now();
      await features();
      return { ms: performance.now() - before };
    },
    memory: () => ({
      peak_mb: peakMemoryMb(),
      baseline_mb: importedMb,
      shared_mb: gatherJson(communicator, proportionalMb()).reduce((sum, mb) => sum + mb, 0),
    }),
    products: () => productRate((profilePrefix) => step.profiled(profilePrefix, PROFILED_STEPS)),
  },
  communicator,
);
leave();
process.exit(0);

/** This process's current memory. Memory that n processes share counts as an n-th (Linux's PSS). */
function proportionalMb(): number {
  const rollup = readFileSync('/proc/self/smaps_rollup', 'utf8');
  return Number(rollup.match(/^Pss:\s*(\d+) kB/m)?.[1]) / 1024;
}

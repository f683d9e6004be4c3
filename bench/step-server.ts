import { peakMemoryMb } from '../src/support/node/peak-memory.ts';
import { productRate } from './product-rate.ts';
import { serve } from './protocol.ts';
import { type StepSettings, type TrainingStep, trainingStep } from './training-step.ts';

/*
 * Takes one training step after the other on request, as python/peft_step.py does: prepare (a bench case, the folder of
 * its checkpoint and how the base is kept), step, memory, products, exit.
 */

const PROFILED_STEPS = 3;

let step: TrainingStep;

await serve({
  async prepare(request) {
    step = await trainingStep(request as unknown as StepSettings);
    return { trainable: step.trainable };
  },
  async step() {
    const { engine, update } = await step.take();
    return { ms: engine + update };
  },
  memory: () => ({ peak_mb: peakMemoryMb() }),
  products: () => productRate((profilePrefix) => step.profiled(profilePrefix, PROFILED_STEPS)),
});
process.exit(0);

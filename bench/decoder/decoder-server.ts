import { peakMemoryMb } from '../../src/support/node/process-status.ts';
import { serve } from '../protocol.ts';
import { type TrainingStep, trainingStep } from '../training-step.ts';
import type { DecoderCase } from './decoder-cases.ts';
import { openWriter } from './writer.ts';

/*
 * Trains a decoder or generates with it on request, like python/peft_decoder.py. Requests: prepare (a case,
 * its checkpoint's folder, the base type, and whether it `writes`), round, memory, exit.
 *
 * A round is either a training step, or the generation of some tokens for one text and then for several. A
 * process does only one of the two, so that its memory is that of one kind of work.
 */

let step: TrainingStep;
let writer: Awaited<ReturnType<typeof openWriter>>;
let work: DecoderCase & { folder: string; dtype: 'float32' | 'int8' | 'int4'; writes: boolean };

await serve({
  async prepare(request) {
    work = request as unknown as typeof work;
    if (work.writes) writer = await openWriter(work);
    else step = await trainingStep(work);
    return {};
  },
  async round() {
    if (!work.writes) {
      const { engine, update } = await step.run();
      return { step: engine + update };
    }
    const [one, many] = [
      await writer.write(1, work.prompt, work.tokens),
      await writer.write(work.texts, work.prompt, work.tokens),
    ];
    return { prefill: one.prefill, one: one.decode, many: many.decode };
  },
  memory: () => ({ peak_mb: peakMemoryMb() }),
});
process.exit(0);

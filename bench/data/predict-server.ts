import { textFile } from '../../src/input/data/node/text-files.ts';
import { peakMemoryMb } from '../../src/support/node/process-status.ts';
import type { SpanAnswer } from '../../src/tasks/question-answering/definition.ts';
import type { ClassAnswer } from '../../src/tasks/single-label-classification/definition.ts';
import { open } from '../../src/use/trained/node/open.ts';
import type { OpenedModel } from '../../src/use/trained/opened-model.ts';
import { serve } from '../protocol.ts';

/*
 * Predicts the labels or the answers of a development set on request, like python/peft_predict.py. Requests: prepare (model,
 * adapter, data, file to predict, base type, texts per batch), predict, memory, exit.
 */

let trained: OpenedModel;
let texts: unknown[];

await serve({
  async prepare({ model, adapter, dev, dtype, batch }) {
    trained = await open(adapter, { model, baseDtype: dtype, batchSize: batch });
    const { prediction } = trained.definition();
    if (!prediction) throw trained.cannotPredict();
    texts = prediction.input.parse(textFile(dev).read(), dev, trained.context().reading);
    return {};
  },
  async predict() {
    const started = performance.now();
    const labels: (number | string)[] = [];
    for await (const found of trained.predict<unknown, ClassAnswer | SpanAnswer>(texts))
      labels.push('label' in found ? trained.labels.indexOf(found.label) : found.answer);
    return { examples: texts.length, ms: performance.now() - started, labels };
  },
  memory: () => ({ peak_mb: peakMemoryMb() }),
});
process.exit(0);

import { textFile } from '../../src/data/node/text-files.ts';
import { peakMemoryMb } from '../../src/support/node/peak-memory.ts';
import type { ClassAnswer } from '../../src/tasks/single-label-classification/definition.ts';
import { type OpenedModel, open } from '../../src/trained/node/open.ts';
import { serve } from '../protocol.ts';
import { dataFile } from './data-cases.ts';

/*
 * Predicts the labels of a development set on request, like python/peft_predict.py. Requests: prepare (model,
 * adapter, data, task, base type, texts per batch), predict, memory, exit.
 */

let trained: OpenedModel;
let texts: unknown[];

await serve({
  async prepare({ model, adapter, data, task, dtype, batch }) {
    trained = await open(adapter, { model, baseDtype: dtype, batchSize: batch });
    const file = dataFile(data, task, 'dev');
    const { prediction } = trained.definition();
    if (!prediction) throw trained.cannotPredict();
    texts = prediction.input.parse(textFile(file).read(), file, trained.context().reading);
    return {};
  },
  async predict() {
    const started = performance.now();
    const labels: number[] = [];
    for await (const { label } of trained.predict<unknown, ClassAnswer>(texts))
      labels.push(trained.labels.indexOf(label));
    return { examples: texts.length, ms: performance.now() - started, labels };
  },
  memory: () => ({ peak_mb: peakMemoryMb() }),
});
process.exit(0);

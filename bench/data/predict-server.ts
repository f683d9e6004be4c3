import { readRows } from '../../src/data/node/read-rows.ts';
import type { Row } from '../../src/data/row.ts';
import { argmaxRows } from '../../src/metrics/predicted-labels.ts';
import { peakMemoryMb } from '../../src/support/node/peak-memory.ts';
import { openPredictor, type Predictor } from '../../src/trained/node/predictor.ts';
import { serve } from '../protocol.ts';
import { dataFile } from './data-cases.ts';

/*
 * Predicts the labels of a development set on request, from texts, as python/peft_predict.py does: prepare (model,
 * adapter, data, task, how the base is kept, texts of a batch), predict, memory, exit.
 */

let predictor: Predictor;
let rows: Row[];

await serve({
  async prepare({ model, adapter, data, task, dtype, batch }) {
    predictor = await openPredictor(adapter, { model, baseDtype: dtype, batchSize: batch });
    rows = readRows(dataFile(data, task, 'dev'), predictor.data);
    return {};
  },
  async predict() {
    const started = performance.now();
    const labels: number[] = [];
    for await (const logits of predictor.predict(rows)) labels.push(...argmaxRows(logits, logits.length));
    return { examples: rows.length, ms: performance.now() - started, labels };
  },
  memory: () => ({ peak_mb: peakMemoryMb() }),
});
process.exit(0);

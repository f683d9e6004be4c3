import { max, multiply } from '../graph/build.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { Network } from '../nn/network.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { Engine } from '../program/engine.ts';
import { releasing } from '../support/opened.ts';
import { randomBatch } from '../text/collate.ts';

/** Texts in the batch; a few suffice to find the outlier columns. */
const BATCH = 8;
const LENGTH = 32;

/**
 * Measures the largest magnitude of each input column of some linear modules, [inFeatures]. The texts are
 * random tokens, because a transformer's outlier columns do not depend on its input.
 */
export async function inputMagnitudes(
  model: TaskModel,
  engine: Engine,
  paths: ReadonlySet<string>,
): Promise<Map<string, Float32Array>> {
  if (paths.size === 0) return new Map();
  const network = new Network(new Graph());
  // The base is shared by models with other heads, which read all rows.
  model.buildLogits(network, () => ({ everyRow: true }));
  const squares: Record<string, Value> = {};
  for (const [path, x] of network.linearInputs) if (paths.has(path)) squares[path] = max(multiply(x, x), [0]);
  const session = await engine.open(squares);
  const { vocabSize, maxLength } = model.config;
  const batch = randomBatch(vocabSize, BATCH, Math.min(LENGTH, maxLength), 'input magnitudes');
  // The decoder of an encoder-decoder gets the same tokens; other models ignore it.
  const outputs = await releasing(session, () => session.run(modelFeeds({ ...batch, decoder: batch })));
  return new Map(
    Object.entries(outputs).map(([path, { data }]) => [
      path,
      Float32Array.from(data, (square) => Math.sqrt(square)),
    ]),
  );
}

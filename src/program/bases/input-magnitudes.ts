import { max, multiply } from '../../engine/graph/build.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import type { Tensors } from '../../engine/runtime/session.ts';
import { randomBatch } from '../../input/text/batches.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { Network } from '../../models/nn/network.ts';
import { releasing } from '../../support/opened.ts';
import { Random } from '../../support/random.ts';
import type { Engine } from '../engine.ts';
import { modelFeeds, PIXELS } from '../objectives/model-inputs.ts';
import type { TaskModel } from '../objectives/task-model.ts';

/** Name of the random numbers. */
const STREAM = 'input magnitudes';
/** Texts or pictures in the batch; a few suffice to find the outlier columns. */
const BATCH = 8;
const LENGTH = 32;

/**
 * Measures the largest magnitude of each input column of some linear modules, [inFeatures]. The inputs are
 * random tokens or pixels, because a transformer's outlier columns do not depend on its input.
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
  const outputs = await releasing(session, () => session.run(randomFeeds(model.config)));
  return new Map(
    Object.entries(outputs).map(([path, { data }]) => [
      path,
      Float32Array.from(data, (square) => Math.sqrt(square)),
    ]),
  );
}

function randomFeeds({ vocabSize, maxLength, picture }: CommonConfig): Tensors {
  if (picture) {
    const { height, width } = picture;
    // Normalized pixels have about this deviation.
    const data = new Random(0, STREAM).normals(BATCH * 3 * height * width, 1);
    return { [PIXELS]: { data, dims: [BATCH, 3, height, width] } };
  }
  const batch = randomBatch(vocabSize, BATCH, Math.min(LENGTH, maxLength), STREAM);
  // The decoder of an encoder-decoder gets the same tokens; other models ignore it.
  return modelFeeds({ ...batch, decoder: batch });
}

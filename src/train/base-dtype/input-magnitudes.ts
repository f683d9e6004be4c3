import { max, multiply } from '../../graph/build.ts';
import { Graph, type Node, type Value } from '../../graph/graph.ts';
import { reachable } from '../../graph/print.ts';
import { Network } from '../../nn/network.ts';
import { Random } from '../../support/random.ts';
import { modelFeeds } from '../../tasks/model-inputs.ts';
import type { TaskModel } from '../../tasks/task-model.ts';
import type { Engine } from '../engine.ts';

/** Enough texts that a column that stands out does so. */
const BATCH = 8;
const LENGTH = 32;

/**
 * The largest magnitude of each column of what some linear modules read, [inFeatures], over texts of random tokens: the
 * columns that stand out in a transformer do so whatever it reads.
 */
export async function inputMagnitudes(
  model: TaskModel,
  engine: Engine,
  paths: ReadonlySet<string>,
): Promise<Map<string, Float32Array>> {
  if (paths.size === 0) return new Map();
  const network = new Network(new Graph());
  model.buildLogits(network);
  const squares: Record<string, Value> = {};
  for (const [path, x] of network.linearInputs) if (paths.has(path)) squares[path] = max(multiply(x, x), [0]);

  const inputs = reachable(Object.values(squares)).filter(
    (node): node is Node<'input'> => node.op === 'input',
  );
  const feeds = modelFeeds(randomBatch(model.config.vocabSize));
  const session = await engine.open(squares);
  const found = await session.run(
    Object.fromEntries(inputs.map(({ attributes: { name } }) => [name, feeds[name]])),
  );
  await session.release();
  return new Map(
    Object.entries(found).map(([path, { data }]) => [
      path,
      Float32Array.from(data, (square) => Math.sqrt(square)),
    ]),
  );
}

function randomBatch(vocabSize: number) {
  const size = BATCH * LENGTH;
  const random = new Random(0, 'input magnitudes');
  return {
    inputIds: Int32Array.from({ length: size }, () => random.integer(vocabSize)),
    attentionMask: new Int32Array(size).fill(1),
    tokenTypeIds: new Int32Array(size),
    batch: BATCH,
    length: LENGTH,
  };
}

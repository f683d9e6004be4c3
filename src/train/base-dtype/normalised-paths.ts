import { Graph } from '../../graph/graph.ts';
import { Network } from '../../nn/network.ts';
import type { TaskModel } from '../../tasks/task-model.ts';

/** Of some linear modules those that read what a layer norm gives. */
export function normalisedPaths(model: TaskModel, paths: ReadonlySet<string>): Set<string> {
  const network = new Network(new Graph());
  model.buildLogits(network);
  return new Set([...paths].filter((path) => network.linearInputs.get(path)?.node.op === 'layerNorm'));
}

import type { FrozenBase } from '../../models/nn/base/frozen-base.ts';
import type { Network } from '../../models/nn/network.ts';
import type { TaskModel } from '../objectives/task-model.ts';

/** Returns the same model with graphs that read their frozen linear weights from a quantized base. */
export function onBase<Model extends TaskModel>(model: Model, base: FrozenBase): Model {
  const on = (network: Network) => network.with({ base });
  const { buildVectors } = model;
  return {
    ...model,
    ...(buildVectors && { buildVectors: (network) => buildVectors(on(network)) }),
    buildLogits: (network, change) => model.buildLogits(on(network), change),
    buildLoss: (network, options) => model.buildLoss(on(network), options),
  };
}

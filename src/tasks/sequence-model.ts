import type { TaskType } from '../data/task-type.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import { Network } from '../nn/network.ts';
import type { TunableModel } from '../tuners/tuner.ts';
import { encoderInputs } from './sequence-inputs.ts';
import { sequenceLoss } from './sequence-loss.ts';

/** A sequence classifier or regressor: how to build its graphs. */
export interface SequenceModel extends TunableModel {
  task: TaskType;
  buildLogits(network: Network): Value;
  buildLoss(network: Network): Value;
}

/** Puts a model family, a config and a task together, and lists the parameters and linear modules that come of it. */
export function sequenceModel(
  definition: ModelDefinition,
  config: CommonConfig,
  task: TaskType,
): SequenceModel {
  const buildLogits = (network: Network) =>
    definition.classifySequence(network, config, encoderInputs(network.graph));
  const { linears, parameters } = described(buildLogits);
  return {
    definition,
    config,
    task,
    linears: [...linears.values()],
    parameters,
    buildLogits,
    buildLoss: (network) => sequenceLoss(buildLogits(network), task),
  };
}

function described(build: (network: Network) => Value): Network {
  const network = new Network(new Graph());
  build(network);
  return network;
}

import { Graph, type Value } from '../graph/graph.ts';
import type { CommonConfig, HeadKind, ModelDefinition } from '../models/model-definition.ts';
import { Network } from '../nn/network.ts';
import type { TunableModel } from '../tuners/tuner.ts';
import { encoderInputs } from './sequence-inputs.ts';

/** A model with a head and its loss: how to build its graphs. */
export interface TaskModel extends TunableModel {
  buildLogits(network: Network): Value;
  /** Mean loss of a batch, []; declares the inputs of its targets. */
  buildLoss(network: Network): Value;
}

/** Puts a model family, a config, a head and a loss together, and lists the parameters and linear modules of it. */
export function taskModel(
  definition: ModelDefinition,
  config: CommonConfig,
  headKind: HeadKind,
  lossOf: (logits: Value) => Value,
): TaskModel {
  const head = definition.heads[headKind];
  const buildLogits = (network: Network) => head.build(network, config, encoderInputs(network.graph));
  const { linears, parameters } = described(buildLogits);
  return {
    definition,
    config,
    headKind,
    head,
    linears: [...linears.values()],
    parameters,
    buildLogits,
    buildLoss: (network) => lossOf(buildLogits(network)),
  };
}

function described(build: (network: Network) => Value): Network {
  const network = new Network(new Graph());
  build(network);
  return network;
}

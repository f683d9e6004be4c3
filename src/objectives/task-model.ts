import { Graph, type Value } from '../graph/graph.ts';
import type { HeadKind } from '../models/heads/registry.ts';
import type { CommonConfig, ModelDefinition, ModelInputs } from '../models/model-definition.ts';
import { Network } from '../nn/network.ts';
import type { Tensors } from '../runtime/session.ts';
import { UserError } from '../support/user-error.ts';
import type { TunableModel } from '../tuners/tuner.ts';
import { modelInputs } from './model-inputs.ts';

/** Inputs of a model that stand in for those of {@link modelInputs}. */
export type ChangeInputs = (inputs: ModelInputs) => Partial<ModelInputs>;

/** How a cross-entropy is taken in training. */
export interface LossOptions {
  /** The share that all classes have in the targets. */
  labelSmoothing?: number;
  /** By which the rows of each class count; by default 1. */
  classWeights?: readonly number[];
}

/** A model with a head and its loss: how to build its graphs. */
export interface TaskModel extends TunableModel {
  /** The path of the weight whose rows are the words that logits are of; undefined for other logits. */
  words?: string;
  buildLogits(network: Network, change?: ChangeInputs): Value;
  /** Mean loss of a batch, []; declares the inputs of its targets. Of losses that are no cross-entropy the options are nothing. */
  buildLoss(network: Network, options?: LossOptions): Value;
  /** A loss over the outputs of all the texts of a step, which cannot be taken part by part. */
  joint?: JointLoss;
}

/** A loss in which every example of a step has to do with every other. */
export interface JointLoss {
  /** The loss [] of outputs [texts, features]; declares the inputs that say which belong together. */
  build(outputs: Value): Value;
  /** The names of those inputs. */
  readonly inputs: readonly string[];
  /** Those inputs of several batches as of one; `texts`: how many each has. */
  join(batches: readonly Tensors[], texts: readonly number[]): Tensors;
}

/**
 * Puts a model family, a config, a head and a loss together, and lists the parameters, linear modules and sublayers of it.
 *
 * @param buildLoss the loss, from what gives the logits; see {@link TaskModel.buildLoss}
 * @throws UserError where the family has no such head
 */
export function taskModel(
  definition: ModelDefinition,
  given: CommonConfig,
  headKind: HeadKind,
  buildLoss: (
    logits: (change?: ChangeInputs) => Value,
    network: Pick<Network, 'graph'>,
    options?: LossOptions,
  ) => Value,
): TaskModel {
  const head = definition.heads[headKind];
  if (!head) throw noHead(definition, headKind);
  const config = head.outputs ? { ...given, numLabels: head.outputs(given) } : given;
  const buildLogits = (network: Network, change: ChangeInputs = () => ({})) => {
    const inputs = modelInputs(network.graph);
    return head.build(network, config, { ...inputs, ...change(inputs) });
  };
  const { linears, sublayers, parameters, buffers, words } = described(buildLogits);
  return {
    definition,
    config,
    headKind,
    head,
    linears: [...linears.values()],
    sublayers: [...sublayers.values()],
    parameters,
    buffers,
    words,
    buildLogits,
    buildLoss: (network, options) => buildLoss((change) => buildLogits(network, change), network, options),
  };
}

function described(build: (network: Network) => Value): Network {
  const network = new Network(new Graph());
  build(network);
  return network;
}

function noHead({ modelType, heads }: ModelDefinition, headKind: HeadKind): UserError {
  return new UserError({
    where: `a model of type ${modelType}`,
    expected: `one of its heads (${Object.keys(heads).join(', ')})`,
    got: headKind,
    hint: 'Choose another task, or a model that has this head.',
  });
}

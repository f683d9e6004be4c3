import { Graph, type Value } from '../../engine/graph/graph.ts';
import type { Tensors } from '../../engine/runtime/session.ts';
import type { TunableModel } from '../../methods/tuners/tuner.ts';
import type { HeadKind } from '../../models/heads/registry.ts';
import type { CommonConfig, Head, ModelDefinition, ModelInputs } from '../../models/model-definition.ts';
import { Network } from '../../models/nn/network.ts';
import { UserError } from '../../support/user-error.ts';
import { modelInputs } from './model-inputs.ts';
import type { LossFunction } from './own-loss.ts';

/** Returns inputs that replace some inputs of {@link modelInputs}. */
type ChangeInputs = (inputs: ModelInputs) => Partial<ModelInputs>;

/** Options of the cross-entropy in training. */
export interface LossOptions {
  /** The share of the target distribution that is spread evenly over all classes. */
  labelSmoothing?: number;
  /** For each class, the weight of its rows. Default: 1. */
  classWeights?: readonly number[];
  /** Replaces the loss. */
  customLoss?: LossFunction;
  /** Whether the loss will be differentiated. Default: false. */
  training?: boolean;
}

/** A model with a head and a loss. Its methods build its graphs. */
export interface TaskModel extends TunableModel {
  /** The path of the weight with one row per word, if the logits are scores of words; otherwise undefined. */
  words?: string;
  /**
   * Returns the same model with another config. Set for models whose output weights may be the word embeddings, because
   * a checkpoint decides whether they are.
   */
  withConfig?(config: CommonConfig): TaskModel;
  buildLogits(network: Network, change?: ChangeInputs): Value;
  /** Builds the vectors of texts with the model's pooling, [batch, width], whatever its head. Undefined if it has none. */
  buildVectors?: ((network: Network) => Value) | undefined;
  /**
   * Builds the mean loss of a batch, [], and declares the inputs for its targets. Only a cross-entropy reads the
   * options.
   */
  buildLoss(network: Network, options?: LossOptions): Value;
  /** If the loss is computed in parts, their number. Then a program divides its labels with `inParts`. */
  labelParts?: number;
  /**
   * Set if the outputs are vectors for a linear layer that is fitted outside of the graph. `inLoss`: the loss reads the
   * layer, so one is fitted before training. `head`: the head of transformers with the same outputs.
   */
  layer?: { inLoss: boolean; columns: number; outputs: number; head?: Head | undefined };
  /** Set if the loss compares the outputs of all texts in a step. Then the step cannot be split into parts. */
  joint?: JointLoss;
}

/** A loss in which every example of a step depends on all the others. */
export interface JointLoss {
  /** Builds the loss [] of outputs [texts, features]. Declares the inputs that state which texts belong together. */
  build(outputs: Value, customLoss?: LossFunction): Value;
  /** Names of the inputs that state which texts belong together. */
  readonly inputs: readonly string[];
  /** Merges these inputs of several batches. `texts` holds each batch's number of texts. */
  join(batches: readonly Tensors[], texts: readonly number[]): Tensors;
}

/**
 * Combines a model family, a config, a head and a loss. Lists the parameters, linear modules and sublayers.
 *
 * @param buildLoss builds the loss; its argument builds the logits. See {@link TaskModel.buildLoss}
 * @throws UserError if the family has no such head; `buildLoss` throws one if the loss ignores a custom loss
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
  const build = (head: Head, network: Network, change: ChangeInputs) => {
    const inputs = modelInputs(network.graph, config);
    return head.build(network, config, { ...inputs, ...change(inputs) });
  };
  const buildLogits = (network: Network, change: ChangeInputs = () => ({})) => build(head, network, change);
  const features = definition.heads.FEATURE_EXTRACTION;
  const { linears, sublayers, parameters, buffers, words, wordTables } = described(buildLogits);
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
    wordTables,
    buildLogits,
    buildVectors:
      features && ((network) => build(features, network, () => ({ belowHead: features !== head }))),
    buildLoss(network, { customLoss, ...options } = {}) {
      const logits = (change?: ChangeInputs) => buildLogits(network, change);
      if (!customLoss) return buildLoss(logits, network, options);
      let isReplaced = false;
      const noticed: LossFunction = (...parts) => {
        isReplaced = true;
        return customLoss(...parts);
      };
      const loss = buildLoss(logits, network, { ...options, customLoss: noticed });
      if (isReplaced) return loss;
      const fault = 'does not apply: the loss of this task cannot be replaced';
      throw new UserError({ key: 'training.compute_loss_func', fault, hint: 'Remove it.' });
    },
  };
}

/** The same model in another network. */
export function inNetwork<Model extends TaskModel>(
  model: Model,
  change: (network: Network) => Network,
): Model {
  const { buildVectors } = model;
  return {
    ...model,
    ...(buildVectors && { buildVectors: (network) => buildVectors(change(network)) }),
    buildLogits: (network, inputs) => model.buildLogits(change(network), inputs),
    buildLoss: (network, options) => model.buildLoss(change(network), options),
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
    fault: `has no head ${headKind}, only ${Object.keys(heads).join(', ')}`,
    hint: 'Choose another task, or a model that has this head.',
    code: 'unsupported',
  });
}

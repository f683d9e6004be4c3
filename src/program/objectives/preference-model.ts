import {
  concat,
  constant,
  equal,
  expand,
  gather,
  input,
  iota,
  multiply,
  reshape,
  slice,
  subtract,
  sum,
  transpose,
  where,
} from '../../engine/graph/build.ts';
import { multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { binaryCrossEntropy } from '../../models/nn/losses.ts';
import type { Network } from '../../models/nn/network.ts';
import { modelInputs } from './model-inputs.ts';
import type { TaskModel } from './task-model.ts';
import { type LabeledLogits, labeledModel, tokenLosses } from './token-model.ts';

/** Name of the input for the reference's log-probabilities of both answers: float32 [pairs, 2]. */
export const REFERENCE = 'reference';

/**
 * A decoder that learns which of two answers people prefer, by DPO (Rafailov et al., NeurIPS 2023). A row of a batch is a
 * pair: its first document is the prompt with the chosen answer, its second one with the rejected answer. The answers'
 * tokens are labeled. As in TRL, nothing is dropped out, so the first loss is ln 2.
 *
 * The model's vectors are the log-probabilities of both answers, [pairs, 2].
 */
export function preferenceModel({ beta }: { beta: number }) {
  const loss = (found: LabeledLogits, { graph }: Pick<Network, 'graph'>) => {
    const likelihoods = answerLikelihoods(found, graph);
    const reference = input(graph, REFERENCE, 'float32', likelihoods.shape);
    return preferenceLoss(likelihoods, reference, beta);
  };
  const likelihoods = (found: LabeledLogits, { graph }: Pick<Network, 'graph'>) =>
    answerLikelihoods(found, graph);
  const build = (definition: ModelDefinition, config: CommonConfig): TaskModel => {
    const model = labeledModel('CAUSAL_LM', {}, loss)(definition, config);
    return {
      ...model,
      buildLoss(network, options) {
        if (network.dropouts) network.dropouts.isOff = true;
        return model.buildLoss(network, options);
      },
      buildVectors: (network) =>
        labeledModel('CAUSAL_LM', {}, likelihoods)(definition, config).buildLoss(network),
      withConfig: (other) => build(definition, other),
    };
  };
  return build;
}

/** The mean of -log σ(β margin) over pairs. The margin is how much more than the reference the model prefers the chosen answer. */
function preferenceLoss(likelihoods: Value, reference: Value, beta: number): Value {
  const [pairs] = likelihoods.shape;
  const ratios = subtract(likelihoods, reference);
  const margins = subtract(slice(ratios, 1, 0, 1), slice(ratios, 1, 1, 2));
  const { graph } = likelihoods.node;
  return binaryCrossEntropy(multiply(margins, beta), expand(constant(graph, [1], []), [pairs!, 1]));
}

/** The sum of the log-probabilities of the tokens of both answers of each pair, [pairs, 2]. */
function answerLikelihoods(found: LabeledLogits, graph: Network['graph']): Value {
  const losses = tokenLosses(found);
  const { attentionMask, batch, sequence } = modelInputs(graph);
  const tokens = multiplyDimensions(sequence, batch);
  const ofRows = (table: Value) => {
    const each = gather(reshape(table, [tokens]), found.rows);
    return reshape(each, [each.shape[0]!, 1]);
  };
  const pairs = reshape(iota(graph, batch), [1, batch]);
  const isOfPair = equal(ofRows(expand(pairs, [sequence, batch])), pairs);
  const documents = ofRows(transpose(attentionMask, [1, 0]));
  const answers = [1, 2].map((number) => {
    const isOfAnswer = equal(documents, constant(graph, [number], [], 'int32'));
    return reshape(sum(where(isOfPair, where(isOfAnswer, losses, 0), 0), [0]), [batch, 1]);
  });
  return multiply(concat(answers, 1), -1);
}

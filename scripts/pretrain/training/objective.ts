import { add, gather, input, multiply, tanh } from '../../../src/engine/graph/build.ts';
import { symbol } from '../../../src/engine/graph/dimension.ts';
import type { Value } from '../../../src/engine/graph/graph.ts';
import { bert } from '../../../src/models/families/bert/definition.ts';
import { type BertConfig, bertModel } from '../../../src/models/families/bert/model.ts';
import type { Head } from '../../../src/models/model-definition.ts';
import { firstTokens } from '../../../src/models/nn/last-rows.ts';
import { crossEntropy, squaredErrorLoss } from '../../../src/models/nn/losses.ts';
import type { Network } from '../../../src/models/nn/network.ts';
import { modelInputs } from '../../../src/program/objectives/model-inputs.ts';

/** Training objectives: masked words, the teacher's vectors, or both from masked texts. */
export const OBJECTIVES = ['mlm', 'distil', 'both'] as const;
export type ObjectiveName = (typeof OBJECTIVES)[number];

/** Modules that project to the teacher's width. They are not part of the encoder. */
export const DISTILLATION = 'distillation';

/**
 * The terms of the loss on a batch. Each term is a scalar:
 *
 * - `mlm`: cross-entropy of the masked tokens (inputs `label_rows`, `labels`);
 * - `words`: squared error of the teacher's word vectors, predicted from each word's first token
 * (`word_rows`, `word_targets`);
 * - `chunks`: squared error of the teacher's chunk vectors, predicted from the pooler's output for [CLS]
 * (`chunk_targets`).
 */
export function lossTerms(
  network: Network,
  config: BertConfig,
  objective: ObjectiveName,
  teacherWidth: number,
): Record<string, Value> {
  const { graph } = network;
  const inputs = modelInputs(graph);
  const hidden = bertModel(network, config, inputs);
  const terms: Record<string, Value> = {};
  if (objective !== 'distil') {
    const labeled = [symbol('labeled')];
    const logitRows = input(graph, 'label_rows', 'int32', labeled);
    // This call builds the encoder again. The nodes are the same, because a graph shares equal nodes.
    const logits = (bert.heads.MASKED_LM as Head<BertConfig>).build(network, config, {
      ...inputs,
      logitRows,
    });
    terms.mlm = crossEntropy(logits, input(graph, 'labels', 'int32', labeled));
  }
  if (objective !== 'mlm') {
    const words = symbol('words');
    const rows = gather(hidden, input(graph, 'word_rows', 'int32', [words]));
    terms.words = squaredErrorLoss(
      network.linear(`${DISTILLATION}.words`, rows, teacherWidth),
      input(graph, 'word_targets', 'float32', [words, teacherWidth]),
    );
    const pooled = network.linear('bert.pooler.dense', firstTokens(hidden, inputs), config.hidden_size);
    terms.chunks = squaredErrorLoss(
      network.linear(`${DISTILLATION}.chunks`, tanh(pooled), teacherWidth),
      input(graph, 'chunk_targets', 'float32', [inputs.batch, teacherWidth]),
    );
  }
  return terms;
}

/** The weight of each term in the loss. */
const WEIGHTS: Record<ObjectiveName, Record<string, number>> = {
  mlm: { mlm: 1 },
  distil: { words: 1, chunks: 0.5 },
  both: { mlm: 0.2, words: 1, chunks: 0.5 },
};

/** The weighted sum of the terms. */
export function totalLoss(terms: Readonly<Record<string, Value>>, objective: ObjectiveName): Value {
  return Object.entries(terms)
    .map(([name, term]) => multiply(term, WEIGHTS[objective][name]!))
    .reduce(add);
}

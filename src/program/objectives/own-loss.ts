import * as build from '../../engine/graph/build.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import {
  type PlainGraph,
  plainGraph,
  plainType,
  readType,
  withPlainGraph,
} from '../../engine/graph/plain-graph.ts';
import {
  average,
  binaryCrossEntropy,
  crossEntropy,
  pairwiseCosine,
  squaredErrorLoss,
} from '../../models/nn/losses.ts';
import { toUnitLength } from '../../models/nn/pool-tokens.ts';
import { shown, UserError } from '../../support/user-error.ts';
import { assertKnown, type LossCall, type OwnFunctionName, type OwnFunctions } from './own-function.ts';

/** The operations that a user's loss function may call: those of the graph, and the built-in losses. */
const LOSS_OPS = {
  ...build,
  average,
  binaryCrossEntropy,
  crossEntropy,
  meanSquaredError: squaredErrorLoss,
  toUnitLength,
  pairwiseCosine,
};
/** The operations that a loss of your own may use. */
export type LossOps = typeof LOSS_OPS;

/**
 * Builds the loss of a user's program as a graph.
 *
 * @param logits [rows, outputs]: a row for each text, or for each token with a label. For questions, a row of all
 * positions for each answer's start, then one for each end. For embeddings, the vectors [columns, examples, features]
 * @param labels class ids or positions: int32 [rows], where -100 must not count; sets of labels: float32 [rows,
 * outputs], 1 for each that applies; numbers: float32 [rows]. For embeddings: scores of pairs, float32 [examples], or
 * classes of texts, int32 [examples], or without either the numbers of the examples, int32 [examples]
 * @returns the mean loss over the rows, float32 []
 */
export type LossFunction = (logits: Value, labels: Value, ops: LossOps) => Value;

/**
 * The loss of the user's program.
 *
 * @param where its key in a config, for messages
 * @throws UserError for a name without a function: only the program that started the run has it
 */
export function ownLossFunction(
  functions: OwnFunctions,
  name: OwnFunctionName,
  where: string,
): (logits: Value, labels: Value) => Value {
  assertKnown(functions, { name, where });
  return (logits, labels) => {
    const types = { logits: plainType(logits), labels: plainType(labels) };
    const loss = functions.call({ name, where, what: 'loss', ...types }) as PlainGraph;
    return withPlainGraph(loss, [logits, labels]);
  };
}

/**
 * Calls a user's loss function and checks its result.
 *
 * @throws UserError if the function does not return a graph value with one number
 */
export function ownLoss(build: LossFunction, logits: Value, labels: Value): Value {
  const loss: unknown = build(logits, labels, LOSS_OPS);
  const { shape, dtype } = Object(loss) as Partial<Value>;
  if (Array.isArray(shape) && shape.length === 0 && dtype === 'float32') return loss as Value;
  const got = Array.isArray(shape) ? `${dtype} of shape [${shape.join(', ')}]` : shown(loss);
  throw new UserError({
    key: 'training.compute_loss_func',
    fault: `must return one number, float32 of shape [], got ${got}`,
    hint: 'average(x) is the mean of all elements.',
  });
}

/**
 * The graph of a user's loss function for logits and labels of some types.
 *
 * @throws UserError for a function that fails
 */
export function ownLossGraph(own: LossFunction, { where, logits, labels }: LossCall): PlainGraph {
  const graph = new Graph();
  const given = Object.entries({ logits, labels }).map(([name, type]) => {
    const { dtype, shape } = readType(type);
    return build.input(graph, name, dtype, [...shape]);
  });
  const explained = <Result>(compute: () => Result, describe: (error: unknown) => string): Result => {
    try {
      return compute();
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError({ where, fault: describe(error instanceof Error ? error.message : error) });
    }
  };
  const loss = explained(
    () => ownLoss(own, given[0]!, given[1]!),
    (message) => `threw "${message}"`,
  );
  return explained(() => plainGraph(loss, given), String);
}

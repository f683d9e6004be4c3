import { gradients } from '../autodiff/gradients.ts';
import { add, concat, input, multiply, pad, reshape, slice } from '../graph/build.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { DropoutSites, MaskSource } from '../nn/dropout.ts';
import { Network } from '../nn/network.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import { elementCount } from '../support/element-count.ts';
import type { Regularizer, Tuner } from '../tuners/tuner.ts';

/** The name of the input that takes the trained values. */
export const TRAINED = 'trained';

/** Builds a model's task loss in a network. */
export type BuildModel = (network: Network, labelSmoothing?: number) => Value;

export interface TrainingGraph {
  /** Outputs `loss` [] (the task's), `gradient` [length] (of the objective) and, where there is one, `regularizer` []. */
  outputs: Record<string, Value>;
  dropouts: DropoutSites;
}

export interface TrainingOptions {
  /** Whether the backward pass computes the layers' activations once more, so that they need not be kept. */
  gradientCheckpointing?: boolean;
  /** The share that all classes have in a cross-entropy's targets; evaluation has none. */
  labelSmoothing?: number;
  /** Where dropout's masks are cut; by default by the host. */
  masks?: MaskSource;
}

/** One training step: from trained values and a batch to the loss and the gradient of loss + γ R. */
export function trainingGraph(
  buildLoss: BuildModel,
  tuner: Tuner,
  { gradientCheckpointing = false, labelSmoothing, masks }: TrainingOptions = {},
): TrainingGraph {
  const { network, flat } = tunedNetwork(tuner, true, masks);
  const loss = buildLoss(network, labelSmoothing);
  const segments = tuner.layout.segments.filter(({ start, end }) => end > start);
  const leaves = segments.map(({ name }) => tuner.layout.value(flat, name));
  const cuts = gradientCheckpointing ? network.layerInputs : [];
  const gradient = concat(gradients(loss, leaves, cuts).map(flatten), 0);
  const dropouts = network.dropouts as DropoutSites;
  const { regularizer } = tuner;
  if (!regularizer || regularizer.weight === 0) return { outputs: { loss, gradient }, dropouts };
  const term = differentiate(regularizer, flat);
  const whole = pad(term.gradient, 0, 0, tuner.layout.length - (term.gradient.shape[0] as number));
  const total = add(gradient, multiply(whole, regularizer.weight));
  return { outputs: { loss, gradient: total, regularizer: term.value }, dropouts };
}

/** The model as it predicts: output `logits`, or the mean `loss` of a batch. */
export function evaluationGraph(
  model: Pick<TaskModel, 'buildLogits' | 'buildLoss'>,
  tuner: Tuner,
  output: 'logits' | 'loss',
): Record<string, Value> {
  const { network } = tunedNetwork(tuner, false);
  return { [output]: output === 'logits' ? model.buildLogits(network) : model.buildLoss(network) };
}

/** A network under a tuner, and the trained vector in it. */
export function tunedNetwork(
  tuner: Tuner,
  training: boolean,
  masks?: MaskSource,
): { network: Network; flat: Value } {
  const graph = new Graph();
  const flat = input(graph, TRAINED, 'float32', [tuner.layout.length]);
  const network: Network = new Network(graph, {
    training,
    masks,
    injection: tuner.inject(flat, (x, probability) => network.dropout(x, probability)),
  });
  return { network, flat };
}

/** The regularizer's value, and its gradient for the leading part of the vector that it covers. */
function differentiate(regularizer: Regularizer, flat: Value): { value: Value; gradient: Value } {
  let end = 0;
  const views = regularizer.views.map((shape) => {
    const start = end;
    end += elementCount(shape);
    return reshape(slice(flat, 0, start, end), shape);
  });
  const value = regularizer.build(views);
  return { value, gradient: concat(gradients(value, views).map(flatten), 0) };
}

function flatten(value: Value): Value {
  return reshape(value, [elementCount(value.shape as number[])]);
}

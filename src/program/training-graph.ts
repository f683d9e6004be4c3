import { gradients } from '../engine/autodiff/gradients.ts';
import { add, concat, input, multiply, reshape, slice } from '../engine/graph/build.ts';
import { Graph, type GraphNode, type Value } from '../engine/graph/graph.ts';
import { reachable } from '../engine/graph/print.ts';
import { type ParameterLayout, stackValue } from '../methods/tuners/parameter-layout.ts';
import type { Regularizer, Tuner } from '../methods/tuners/tuner.ts';
import type { DropoutPools, DropoutSites, MaskSource } from '../models/nn/dropout.ts';
import { type Injection, Network } from '../models/nn/network.ts';
import { elementCount } from '../support/arrays.ts';
import { listNames } from '../support/text.ts';
import type { LossOptions, TaskModel } from './objectives/task-model.ts';

/** Name of the input for the trained values. */
export const TRAINED = 'trained';

/** Builds a model's task loss in a network. */
type BuildModel = (network: Network, options?: LossOptions) => Value;

interface TrainingGraph {
  /**
   * `loss` [] of the task; `gradient`, the objective's gradient [length] followed by the values that the tuner watches;
   * and `regularizer` [], if there is one.
   */
  outputs: Record<string, Value>;
  dropouts: DropoutSites;
}

export interface TrainingOptions extends LossOptions {
  /** Whether the backward pass recomputes the layers' activations instead of keeping them in memory. */
  gradientCheckpointing?: boolean;
  /** The place where dropout masks are cut. Default: the host. */
  masks?: MaskSource;
  /** The draws of the masks, shared with other graphs of the run. */
  pools?: DropoutPools;
}

/**
 * Builds the graph of a training step. It computes the loss and the gradient of loss + γ R from trained values and a
 * batch.
 */
export function trainingGraph(
  buildLoss: BuildModel,
  tuner: Tuner,
  { gradientCheckpointing = false, masks, ...options }: TrainingOptions = {},
): TrainingGraph {
  // The engine computes all gradients of one stack before those of the next. With gradient checkpointing, it would keep
  // the recomputed activations of all layers in memory until the second stack. So every tensor is separate.
  const layout = gradientCheckpointing ? tuner.layout.apart() : tuner.layout;
  const { network, flat, injection } = tunedNetwork(tuner, true, { masks }, layout);
  const loss = buildLoss(network, { ...options, training: true });
  const leaves = layout.stacks.map((stack) => stackValue(flat, stack));
  assertCutByLayout(loss, flat, layout, leaves);
  const cuts = gradientCheckpointing ? network.layerInputs : [];
  const all = gradients(loss, [...leaves, ...(injection.watched?.() ?? [])], cuts).map(flatten);
  const [parts, watched] = [all.slice(0, leaves.length), all.slice(leaves.length)];
  const gradient = concat(all, 0);
  const dropouts = network.dropouts as DropoutSites;
  const { regularizer } = tuner;
  if (!regularizer || regularizer.weight === 0) return { outputs: { loss, gradient }, dropouts };
  const term = differentiate(regularizer, flat);
  const sums = tuner.layout.stacks.map(({ start, end }, i) => {
    const part = gradientCheckpointing ? slice(gradient, 0, start, end) : parts[i]!;
    const sliceGradients = term.gradients.filter((part) => part.start >= start && part.start < end);
    if (sliceGradients.length === 0) return part;
    const whole = concat(
      sliceGradients.map(({ gradient }) => gradient),
      0,
    );
    return add(part, whole);
  });
  return { outputs: { loss, gradient: concat([...sums, ...watched], 0), regularizer: term.value }, dropouts };
}

/** The outputs that an evaluation can compute. */
export type EvaluationOutput = 'logits' | 'loss' | 'features' | 'vectors';

/**
 * Builds the graph of an evaluation: `logits`, the mean `loss` of a batch, `features`, the input of the last linear
 * module, or `vectors` of the texts.
 */
export function evaluationGraph(
  model: Pick<TaskModel, 'buildLogits' | 'buildLoss' | 'buildVectors'>,
  tuner: Tuner,
  output: EvaluationOutput,
): Record<string, Value> {
  const { network } = tunedNetwork(tuner, false);
  if (output === 'loss') return { loss: model.buildLoss(network) };
  if (output === 'vectors') {
    if (!model.buildVectors) throw new Error('a model without vectors of texts');
    return { vectors: model.buildVectors(network) };
  }
  const logits = model.buildLogits(network);
  return output === 'logits' ? { logits } : { features: [...network.linearInputs.values()].at(-1) as Value };
}

/** Builds the network as in training, with dropout but without a loss. */
export function trainingNetwork(tuner: Tuner, options: TrainingOptions): { network: Network; flat: Value } {
  return tunedNetwork(tuner, true, options);
}

/** Builds a network with a tuner. Returns also its trained vector. */
export function tunedNetwork(
  tuner: Tuner,
  training: boolean,
  { masks, pools }: Pick<TrainingOptions, 'masks' | 'pools'> = {},
  layout?: ParameterLayout,
): { network: Network; flat: Value; injection: Injection } {
  const graph = new Graph();
  const flat = input(graph, TRAINED, 'float32', [tuner.layout.length]);
  const injection = tuner.inject(
    flat,
    (x, probability) => network.dropout(x, probability),
    layout,
    (parts) => network.dropouts?.fraction(parts),
  );
  const network: Network = new Network(graph, { training, masks, pools, injection });
  return { network, flat, injection };
}

/**
 * Returns the regularizer's value, and the gradient of γ R for each of its views. γ multiplies scalars before they
 * become matrices, which is cheaper.
 */
function differentiate(
  regularizer: Regularizer,
  flat: Value,
): { value: Value; gradients: { start: number; gradient: Value }[] } {
  const starts: number[] = [];
  let end = 0;
  const views = regularizer.views.map((shape) => {
    const start = end;
    end += elementCount(shape);
    starts.push(start);
    return stackValue(flat, { shape, start, end });
  });
  const value = regularizer.build(views);
  const parts = gradients(multiply(value, regularizer.weight), views).map(flatten);
  return { value, gradients: parts.map((gradient, i) => ({ start: starts[i]!, gradient })) };
}

function flatten(value: Value): Value {
  return reshape(value, [elementCount(value.shape as number[])]);
}

/**
 * Checks that the loss reads the trained vector by stacks alone. The gradient is taken with respect to these, so
 * what reads the vector in another way would get none.
 *
 * @param flat the trained vector
 * @param stacks the values of the layout's stacks, in order
 * @throws if a parameter is read in another way, or not at all
 */
export function assertCutByLayout(
  loss: Value,
  flat: Value,
  layout: ParameterLayout,
  stacks: readonly Value[],
): void {
  const leaves = new Set(stacks);
  const nodes = reachable([loss]);
  /** Values that depend on the vector without a stack in between, and the node that reads the vector. */
  const loose = new Map<Value, GraphNode>();
  for (const node of nodes) {
    if (node.op === 'stopGradient') continue;
    const reader = node.inputs.includes(flat)
      ? node
      : node.inputs.map((value) => loose.get(value)).find((found) => found);
    if (!reader) continue;
    for (const output of node.outputs) if (!leaves.has(output)) loose.set(output, reader);
  }
  const reader = loose.get(loss);
  if (reader) {
    const names = namesWithin(layout, reader);
    throw new Error(
      `the loss reads ${names} from the trained vector manually, so it gets no gradient. ${REMEDY}`,
    );
  }
  const read = new Set(nodes);
  const unread = layout.stacks.find((_, i) => !read.has(stacks[i]!.node));
  if (unread) throw new Error(`the loss does not depend on ${joinNames(layout, unread)}. ${REMEDY}`);
}

const REMEDY = 'Read it with layout.value(flat, name), where layout is the one that inject is given.';

/** The parameters that a node reads. Any node other than a slice reads all. */
function namesWithin(layout: ParameterLayout, { op, attributes }: GraphNode): string {
  const { start, end } =
    op === 'slice' ? (attributes as { start: number; end: number }) : { start: 0, end: layout.length };
  return joinNames(layout, { start, end });
}

function joinNames({ segments }: ParameterLayout, range: { start: number; end: number }): string {
  const names = segments.filter(({ start, end }) => start < range.end && end > range.start);
  return listNames(names.map(({ name }) => name));
}

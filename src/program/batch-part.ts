import type { GraphNode, Value } from '../engine/graph/graph.ts';
import { reachable } from '../engine/graph/print.ts';
import type { Tensors } from '../engine/runtime/session.ts';
import type { Tuner } from '../methods/tuners/tuner.ts';
import type { MaskSource } from '../models/nn/dropout.ts';
import type { BatchRows } from '../models/nn/mask-part.ts';
import { addUp } from '../support/numbers.ts';
import { labelsOfPart, select } from './objectives/labeled-rows.ts';
import { REFERENCE } from './objectives/preference-model.ts';
import { exampleWeights } from './objectives/sequence-loss.ts';
import type { TaskModel } from './objectives/task-model.ts';
import type { RowRange } from './parallel/deal.ts';

/**
 * A batch with more tokens is differentiated in parts, because its activations take most of the memory of a step. In larger
 * batches a part takes as long as its share of the whole; in smaller ones it takes longer (bench/log/2026-12-01-long-texts.md).
 */
const MAX_WHOLE = 2048;
/** Maximum number of tokens of a part, unless a single example has more. */
const MAX_PART = 1100;

/**
 * The number of parts in which some examples of a batch are differentiated. The parts sum to the whole for losses that
 * are means over examples or tokens. It is 1 for a loss over all examples together, for a tuner that watches sums
 * which are not linear in the gradient, and for a graph that cuts the masks.
 *
 * @param tokens of these examples, including padding
 * @param hasOwnLoss whether the loss is the user's, which may depend on all examples of a batch
 */
export function countParts(
  { joint }: TaskModel,
  { watches }: Pick<Tuner, 'watches'>,
  { examples, tokens }: { examples: number; tokens: number },
  { masks, hasOwnLoss = false }: { masks?: MaskSource | undefined; hasOwnLoss?: boolean } = {},
): number {
  if (joint || watches || hasOwnLoss || masks === 'graph' || tokens <= MAX_WHOLE) return 1;
  const atATime = Math.max(1, Math.floor((MAX_PART * examples) / tokens));
  return Math.ceil(examples / atATime);
}

/**
 * The source of a training's masks. A graph can cut them only for a whole batch, and a batch of images is usually
 * divided.
 *
 * @param masks the best place on the device
 */
export function trainingMasks({ joint, config }: TaskModel, masks: MaskSource | undefined) {
  return joint || config.content ? 'host' : masks;
}

/** Some examples of a batch, with the padding of the whole batch. */
interface BatchPart {
  feeds: Tensors;
  rows: BatchRows;
  /** The part's share in the batch's mean loss: its share of examples (weighted by class) or of labeled tokens. */
  share: number;
}

/**
 * Selects the inputs of some examples from the inputs of a batch.
 *
 * @param outputs of the graph that reads the inputs; its inputs show which axis counts examples
 * @param classWeights weights of examples, if they are not equal
 */
export function batchPart(
  outputs: readonly Value[],
  whole: Tensors,
  part: RowRange,
  classWeights?: readonly number[],
): BatchPart {
  const axes = new Map(
    reachable(outputs)
      .filter(({ op }) => op === 'input')
      .map((node) => [
        (node as GraphNode<'input'>).attributes.name,
        node.outputs[0].shape.findIndex((size) => String(size) === 'batch'),
      ]),
  );
  const used = Object.entries(whole).filter(([name]) => axes.has(name));
  const axisOf = (name: string) => axes.get(name)!;
  const counted = used.find(([name]) => axisOf(name) >= 0)!;
  const batch = counted[1].dims[axisOf(counted[0])]!;
  const examples = Int32Array.from({ length: part.end - part.start }, (_, i) => part.start + i);
  const chosen = used.map(([name, tensor]) => [name, select(tensor, axisOf(name), examples)] as const);
  const feeds: Tensors = Object.fromEntries(chosen);
  const labels = labelsOfPart(whole, batch, part);
  if (labels) {
    const { rows, share } = labels;
    for (const [name, tensor] of Object.entries(labels.feeds)) if (axes.has(name)) feeds[name] = tensor;
    // A loss of pairs is a mean over pairs, not over their tokens.
    const ofExamples = axes.has(REFERENCE) ? (part.end - part.start) / batch : share;
    return { feeds, rows: { ...part, labeled: rows }, share: ofExamples };
  }
  const weights = classWeights && exampleWeights(whole, classWeights);
  const weightOf = (from: number, to: number) => (weights ? addUp(weights.slice(from, to)) : to - from);
  const share = weightOf(part.start, part.end) / weightOf(0, batch);
  return { feeds, rows: { ...part, labeled: new Int32Array() }, share };
}

import type { GraphNode, Value } from '../engine/graph/graph.ts';
import { reachable } from '../engine/graph/print.ts';
import type { HostTensor, Tensors } from '../engine/runtime/session.ts';
import type { Tuner } from '../methods/tuners/tuner.ts';
import type { BatchRows } from '../models/nn/mask-part.ts';
import { LABEL_ROWS } from './objectives/labelled-rows.ts';
import { LABELS } from './objectives/sequence-loss.ts';
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
 * are means over examples or tokens. It is 1 for a loss over all examples together, and for a tuner that watches sums
 * which are not linear in the gradient.
 *
 * @param tokens of these examples, including padding
 */
export function countParts(
  { joint }: TaskModel,
  { watches }: Pick<Tuner, 'watches'>,
  { examples, tokens }: { examples: number; tokens: number },
): number {
  if (joint || watches || tokens <= MAX_WHOLE) return 1;
  const atATime = Math.max(1, Math.floor((MAX_PART * examples) / tokens));
  return Math.ceil(examples / atATime);
}

/** Some examples of a batch, with the padding of the whole batch. */
export interface BatchPart {
  feeds: Tensors;
  rows: BatchRows;
  /** The part's share in the batch's mean loss: its share of examples (weighted by class) or of labeled tokens. */
  share: number;
}

/**
 * Selects the inputs of some examples from the inputs of a batch.
 *
 * @param outputs of the graph that reads the inputs; the names of its inputs' axes show which axis counts examples
 * @param classWeights weights of examples, if they are not equal
 */
export function batchPart(
  outputs: readonly Value[],
  whole: Tensors,
  { start, end }: RowRange,
  classWeights?: readonly number[],
): BatchPart {
  const shapes = new Map(
    reachable(outputs)
      .filter(({ op }) => op === 'input')
      .map((node) => [
        (node as GraphNode<'input'>).attributes.name,
        node.outputs[0].shape.map((size) => String(size)),
      ]),
  );
  let batch = 0;
  for (const [name, { dims }] of Object.entries(whole)) {
    const axis = shapes.get(name)?.indexOf('batch') ?? -1;
    if (axis >= 0) batch = dims[axis]!;
  }
  const labelRows = whole[LABEL_ROWS]?.data;
  const labelled = Int32Array.from((labelRows ?? []).keys()).filter((i) => {
    const example = findExample(Number(labelRows?.[i]), batch);
    return example >= start && example < end;
  });
  const feeds: Tensors = {};
  for (const [name, tensor] of Object.entries(whole)) {
    const shape = shapes.get(name);
    if (!shape) continue;
    if (name === LABEL_ROWS) feeds[name] = moved(select(tensor, 0, labelled), batch, { start, end });
    else if (shape.includes('labelled')) feeds[name] = select(tensor, 0, labelled);
    else feeds[name] = select(tensor, shape.indexOf('batch'), range(start, end));
  }
  const weights = classWeights && Array.from(whole[LABELS]!.data, (label) => classWeights[Number(label)]!);
  const weightOf = (from: number, to: number) =>
    weights ? weights.slice(from, to).reduce((a, b) => a + b, 0) : to - from;
  const share = labelRows ? labelled.length / labelRows.length : weightOf(start, end) / weightOf(0, batch);
  return { feeds, rows: { start, end, labelled }, share };
}

/** Renumbers rows of sequence-major hidden states for a part of the examples. */
function moved({ data, dims }: HostTensor, batch: number, { start, end }: RowRange): HostTensor {
  const number = (row: number) => Math.floor(row / batch) * (end - start) + findExample(row, batch) - start;
  return { data: Int32Array.from(data, number), dims };
}

/** The example of a row of hidden states. The row before the first token of a text is negative. */
function findExample(row: number, batch: number): number {
  return (row + batch) % batch;
}

/** Selects indices of an axis. Returns the tensor unchanged if it has no such axis. */
function select(tensor: HostTensor, axis: number, indices: Int32Array): HostTensor {
  if (axis < 0) return tensor;
  const { data, dims } = tensor;
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = dims.slice(0, axis).reduce((a, b) => a * b, 1);
  const chosen = new (data.constructor as typeof Float32Array)(outer * indices.length * inner) as typeof data;
  for (let i = 0; i < outer; i++) {
    indices.forEach((index, j) => {
      const from = (i * dims[axis]! + index) * inner;
      chosen.set(data.subarray(from, from + inner), (i * indices.length + j) * inner);
    });
  }
  return { data: chosen, dims: dims.map((size, at) => (at === axis ? indices.length : size)) };
}

function range(start: number, end: number): Int32Array {
  return Int32Array.from({ length: end - start }, (_, i) => start + i);
}

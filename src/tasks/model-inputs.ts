import { input } from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import type { Graph } from '../graph/graph.ts';
import type { ModelInputs } from '../models/model-definition.ts';
import type { Tensors } from '../runtime/session.ts';
import type { Batch } from '../text/collate.ts';

const BATCH = symbol('batch');
const SEQUENCE = symbol('sequence');
const TARGET = symbol('target');

/** Declares the inputs of a model; those that it does not read are none of its graph's. */
export function modelInputs(graph: Graph): ModelInputs {
  const tokens = (name: string) => input(graph, name, 'int32', [SEQUENCE, BATCH]);
  return {
    inputIds: tokens('input_ids'),
    tokenTypeIds: tokens('token_type_ids'),
    positionIds: tokens('position_ids'),
    attentionMask: input(graph, 'attention_mask', 'int32', [BATCH, SEQUENCE]),
    batch: BATCH,
    sequence: SEQUENCE,
    decoderInputIds: input(graph, 'decoder_input_ids', 'int32', [TARGET, BATCH]),
    target: TARGET,
  };
}

/** A padded batch as those inputs: ids, types and positions turned to sequence-major order. */
export function modelFeeds({
  inputIds,
  attentionMask,
  tokenTypeIds,
  positionIds,
  decoder,
  batch,
  length,
}: Batch): Tensors {
  const turned = (ids: Int32Array, columns: number) => ({
    data: transposed(ids, batch, columns),
    dims: [columns, batch],
  });
  return {
    input_ids: turned(inputIds, length),
    token_type_ids: turned(tokenTypeIds, length),
    position_ids: turned(positionIds ?? countedFromZero(batch, length), length),
    attention_mask: { data: attentionMask, dims: [batch, length] },
    ...(decoder && { decoder_input_ids: turned(decoder.inputIds, decoder.length) }),
  };
}

function countedFromZero(rows: number, columns: number): Int32Array {
  return Int32Array.from({ length: rows * columns }, (_, i) => i % columns);
}

function transposed(matrix: Int32Array, rows: number, columns: number): Int32Array {
  const result = new Int32Array(matrix.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  return result;
}

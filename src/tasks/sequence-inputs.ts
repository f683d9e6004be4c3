import { input } from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import type { Graph } from '../graph/graph.ts';
import type { EncoderInputs } from '../models/model-definition.ts';
import type { Tensors } from '../runtime/session.ts';
import type { Batch } from '../text/collate.ts';

const BATCH = symbol('batch');
const SEQUENCE = symbol('sequence');

/** Declares the inputs of an encoder. */
export function encoderInputs(graph: Graph): EncoderInputs {
  return {
    inputIds: input(graph, 'input_ids', 'int32', [SEQUENCE, BATCH]),
    tokenTypeIds: input(graph, 'token_type_ids', 'int32', [SEQUENCE, BATCH]),
    attentionMask: input(graph, 'attention_mask', 'int32', [BATCH, SEQUENCE]),
    batch: BATCH,
    sequence: SEQUENCE,
  };
}

/** A padded batch as those inputs: ids and types turned to sequence-major order. */
export function encoderFeeds({ inputIds, attentionMask, tokenTypeIds, batch, length }: Batch): Tensors {
  const turned = (ids: Int32Array) => ({ data: transposed(ids, batch, length), dims: [length, batch] });
  return {
    input_ids: turned(inputIds),
    token_type_ids: turned(tokenTypeIds),
    attention_mask: { data: attentionMask, dims: [batch, length] },
  };
}

/** Values of the symbolic sizes for a batch. */
export function symbolsOf({ batch, length }: Batch): Record<string, number> {
  return { batch, sequence: length };
}

function transposed(matrix: Int32Array, rows: number, columns: number): Int32Array {
  const result = new Int32Array(matrix.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  return result;
}

import { input } from '../../engine/graph/build.ts';
import { symbol } from '../../engine/graph/dimension.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';
import type { Batch } from '../../input/text/batches.ts';
import type { CommonConfig, ModelInputs } from '../../models/model-definition.ts';

const BATCH = symbol('batch');
const SEQUENCE = symbol('sequence');
const TARGET = symbol('target');

/** Declares the inputs of a model. Inputs that the model does not read do not become inputs of its graph. */
export function modelInputs(graph: Graph, { content }: Pick<CommonConfig, 'content'> = {}): ModelInputs {
  const tokens = (name: string) => input(graph, name, 'int32', [SEQUENCE, BATCH]);
  return {
    inputIds: tokens('input_ids'),
    tokenTypeIds: tokens('token_type_ids'),
    positionIds: tokens('position_ids'),
    attentionMask: input(graph, 'attention_mask', 'int32', [BATCH, SEQUENCE]),
    batch: BATCH,
    sequence: SEQUENCE,
    content: input(graph, content?.input ?? 'content', 'float32', [BATCH, ...(content?.shape ?? [])]),
    decoderInputIds: input(graph, 'decoder_input_ids', 'int32', [TARGET, BATCH]),
    target: TARGET,
  };
}

/** Converts a padded batch to the inputs of {@link modelInputs}. Ids, types and positions become sequence-major. */
export function modelFeeds({
  inputIds,
  attentionMask,
  tokenTypeIds,
  positionIds,
  decoder,
  batch,
  length,
}: Batch): Tensors {
  return {
    input_ids: sequenceMajor(inputIds, batch, length),
    token_type_ids: sequenceMajor(tokenTypeIds, batch, length),
    position_ids: sequenceMajor(positionIds ?? countedFromZero(batch, length), batch, length),
    attention_mask: { data: attentionMask, dims: [batch, length] },
    ...(decoder && { decoder_input_ids: sequenceMajor(decoder.inputIds, batch, decoder.length) }),
  };
}

/** Transposes token ids [rows, columns] to the models' order, [columns, rows]. */
export function sequenceMajor(ids: Int32Array, rows: number, columns: number): HostTensor {
  const data = new Int32Array(ids.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[j * rows + i] = ids[i * columns + j]!;
  return { data, dims: [columns, rows] };
}

function countedFromZero(rows: number, columns: number): Int32Array {
  return Int32Array.from({ length: rows * columns }, (_, i) => i % columns);
}

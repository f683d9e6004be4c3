import { Graph, type Value } from '../engine/graph/graph.ts';
import type { Tensors } from '../engine/runtime/session.ts';
import type { ModuleInput } from '../methods/tuners/method-run.ts';
import { writesText } from '../models/heads/registry.ts';
import { Network } from '../models/nn/network.ts';
import type { Engine } from './engine.ts';
import { LABEL_ROWS } from './objectives/labelled-rows.ts';
import type { TaskModel } from './objectives/task-model.ts';
import { ALONE, type Communicator } from './parallel/communicator.ts';
import { dealNumbers } from './parallel/deal.ts';

/** The parts of a run that {@link moduleInputs} needs. */
export interface InputSource {
  model: TaskModel;
  engine: Engine;
  communicator?: Communicator;
}

/**
 * Yields the rows that linear modules of the base model get as input, batch by batch. Padding is left out.
 * For language models, tokens without a label are left out too, as in PEFT's EVA (`use_label_mask`).
 */
export async function* moduleInputs(
  { model, engine, communicator = ALONE }: InputSource,
  paths: readonly string[],
  feeds: Iterable<Tensors>,
): AsyncGenerator<ModuleInput[]> {
  const network = new Network(new Graph());
  model.buildLogits(network, () => ({ everyRow: true }));
  const groups = new Map<Value, string[]>();
  for (const path of paths) {
    const x = network.linearInputs.get(path)!;
    groups.set(x, [...(groups.get(x) ?? []), path]);
  }
  const outputs = Object.fromEntries([...groups].map(([x, [path]]) => [path, x]));
  const session = await engine.open(outputs);
  const isDecoder = writesText(model.headKind);
  try {
    for (const batch of feeds) {
      const results = await session.run(batch);
      const chosen: ModuleInput[] = [];
      for (const [x, readers] of groups) {
        const [, width] = results[readers[0]!]!.dims as [number, number];
        const data = results[readers[0]!]!.data as Float32Array;
        const rowsOf = String(x.shape[0]);
        const rows = rowsOf === 'batch' ? data : rowsAt(data, width, countedRows(rowsOf, batch, isDecoder));
        // All processes use the rows of the same process, because engines may round differently.
        const [shared] = await dealNumbers(communicator, 1, () => Promise.resolve(rows));
        chosen.push({ paths: readers, width, rows: shared! });
      }
      yield chosen;
    }
  } finally {
    await session.release();
  }
}

/**
 * Indices of the sequence-major rows to measure. They belong to real tokens; in language models, only to
 * labeled ones. The first token of a text counts if the second one does: nothing predicts it, so no label shows
 * whether it belongs to a prompt.
 */
function countedRows(rows: string, feeds: Tensors, isDecoder: boolean): number[] {
  const labelled = feeds[LABEL_ROWS]?.data;
  if (rows.includes('target')) return [...labelled!];
  const { data, dims } = feeds.attention_mask!;
  const [batch, length] = dims as [number, number];
  /** The number of a token's text in its row, 0 for padding. */
  const textOf = (row: number) => data[(row % batch) * length + Math.floor(row / batch)];
  const real = Array.from({ length: batch * length }, (_, row) => row).filter((row) => textOf(row) !== 0);
  const isEncoder = !labelled || 'decoder_input_ids' in feeds;
  if (isEncoder) return real;
  // In a decoder, a row predicts the next token, so the row after a label's row is counted.
  const tokens = new Set(Array.from(labelled, (row) => row + (isDecoder ? batch : 0)));
  const isFirst = (row: number) => row < batch || textOf(row - batch) !== textOf(row);
  return real.filter((row) => tokens.has(row) || (isDecoder && isFirst(row) && tokens.has(row + batch)));
}

function rowsAt(data: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const chosen = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    chosen.set(data.subarray(row * width, (row + 1) * width), i * width);
  });
  return chosen;
}

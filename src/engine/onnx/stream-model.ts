import protobuf from 'protobufjs/minimal.js';
import {
  type ByteStream,
  encodeGraph,
  encodeModel,
  encodeTensor,
  type ModelFields,
  type TensorFields,
} from './schema.ts';

/** Protobuf's limit for a message. Many browsers have the same limit for a buffer. */
const MAX_BYTES = 2 ** 31 - 1;
/** Smaller tensors are stored in the model's own file. */
const MIN_EXTERNAL = 1024;
/** Alignment of a tensor in an external data file: a page, so that an engine can map it. */
const ALIGNMENT = 4096;

/** Protobuf field numbers. */
const FIELD = { modelGraph: 7, graphInitializer: 5, tensorRawData: 9 } as const;
const LENGTH_DELIMITED = 2;

/**
 * Returns the files of a model, with tensors that are produced while they are written. If the model is too large for
 * one file, its tensors are stored in further files, `NAME_data`, `NAME_data_1`, …. A data file exceeds the limit only
 * if a single tensor does.
 *
 * @param name of the model's file
 */
export function streamModel(
  { graph, ...rest }: ModelFields,
  name: string,
  maxBytes = MAX_BYTES,
): ReadonlyMap<string, ByteStream> {
  const streamed = graph.initializer.filter(({ stream }) => stream);
  const encoded = encodeGraph({ ...graph, initializer: graph.initializer.filter(({ stream }) => !stream) });
  const whole = (tensors: readonly TensorFields[]) => {
    const parts = tensors.map(tensorMessage);
    const length = parts.reduce((sum, { byteLength }) => sum + byteLength, encoded.length);
    const head = [encodeModel(rest), header(FIELD.modelGraph, length), encoded].map(inMemory);
    return joined([...head, ...parts]);
  };
  const inOne = whole(streamed);
  if (inOne.byteLength <= maxBytes) return new Map([[name, inOne]]);
  const { tensors, files } = externalised(streamed, name, maxBytes);
  return new Map([[name, whole(tensors)], ...files]);
}

/** Moves tensors to external data files. Returns the tensors, which refer to these files, and the files. */
function externalised(
  tensors: readonly TensorFields[],
  name: string,
  maxBytes: number,
): { tensors: TensorFields[]; files: Map<string, ByteStream> } {
  const parts: ByteStream[][] = [];
  let end = Number.POSITIVE_INFINITY;
  const placed = tensors.map((tensor) => {
    const stream = tensor.stream as ByteStream;
    const { byteLength } = stream;
    if (byteLength < MIN_EXTERNAL) return tensor;
    let offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    if (offset + byteLength > maxBytes) {
      parts.push([]);
      [offset, end] = [0, 0];
    }
    parts[parts.length - 1]!.push(inMemory(new Uint8Array(offset - end)), stream);
    end = offset + byteLength;
    const place = { location: fileOf(parts.length - 1), offset, length: byteLength };
    const external_data = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
    return { ...tensor, stream: undefined, data_location: 1, external_data };
  });
  function fileOf(index: number): string {
    return `${name}_data${index === 0 ? '' : `_${index}`}`;
  }
  return { tensors: placed, files: new Map(parts.map((streams, i) => [fileOf(i), joined(streams)])) };
}

/** Encodes an initializer as a field of its graph. */
function tensorMessage({ stream, ...tensor }: TensorFields): ByteStream {
  const fields = encodeTensor(tensor);
  const data = stream ? [inMemory(header(FIELD.tensorRawData, stream.byteLength)), stream] : [];
  const content = joined([inMemory(fields), ...data]);
  return joined([inMemory(header(FIELD.graphInitializer, content.byteLength)), content]);
}

/** The header of a bytes field: its number and its length. */
function header(field: number, length: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32((field << 3) | LENGTH_DELIMITED)
    .uint64(length)
    .finish();
}

function inMemory(bytes: Uint8Array): ByteStream {
  return { byteLength: bytes.length, chunks: () => [bytes] };
}

function joined(streams: readonly ByteStream[]): ByteStream {
  return {
    byteLength: streams.reduce((sum, { byteLength }) => sum + byteLength, 0),
    *chunks() {
      for (const stream of streams) yield* stream.chunks();
    },
  };
}

import protobuf from 'protobufjs/minimal.js';
import { symbol } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { valueInfo } from '../../engine/onnx/emitter.ts';
import { identity, lowerGraph } from '../../engine/onnx/lower-graph.ts';
import {
  type AttributeFields,
  type ByteStream,
  ELEMENT,
  encodeGraph,
  encodeModel,
  encodeTensor,
  type GraphFields,
  type LoweredGraph,
  type ModelFields,
  modelFields,
  type TensorFields,
  type ValueInfoFields,
} from '../../engine/onnx/schema.ts';
import type { ReadRange, Tuner } from '../../methods/tuners/tuner.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { PROGRAM } from '../../support/program.ts';
import { type ModelGraph, modelGraphs } from './model-graphs.ts';
import { ONNX_DTYPES, type OnnxDtype } from './onnx-dtypes.ts';
import { PAST_KEY_VALUES, SOURCE } from './optimum-cache.ts';
import { FileWeights } from './weights/file-weights.ts';

/** Name of the input that states whether the cache has the encoder's keys and values. */
const FLAG = 'use_cache_branch';

export interface OnnxSource {
  model: TaskModel;
  /** The tuner of a method that adds layers. Its values are read as the parameter `ADAPTER`. */
  tuner?: Tuner;
  read: ReadRange;
}

/**
 * Returns the ONNX files of a model, by name: one or two for each type of weights, with their external data.
 *
 * @param maxBytes limit of a file; by default protobuf's
 */
export function onnxFiles(
  { model, tuner, read }: OnnxSource,
  dtypes: readonly OnnxDtype[],
  maxBytes?: number,
): { name: string; files: ReadonlyMap<string, ByteStream> }[] {
  const graphs = modelGraphs(model, tuner);
  return dtypes.flatMap((dtype) =>
    graphs.map((graph) => {
      const name = `${graph.name}${ONNX_DTYPES[dtype].suffix}.onnx`;
      const lowered = lowerModel(graph, new FileWeights(ONNX_DTYPES[dtype], read));
      // The types of values are those of float32 weights, so files of other types go without them.
      return { name, files: streamModel(modelFields({ ...lowered, values: [] }), name, maxBytes) };
    }),
  );
}

/** The axis of tokens in keys and values. */
const TOKENS = 2;

/**
 * The encoder's keys and values as the cache holds them. At first the cache is empty, so their number of tokens is a
 * separate symbol.
 */
function inCache(name: string, { dtype, shape }: Value): ValueInfoFields {
  const sizes = shape.map((size, axis) => (axis === TOKENS ? symbol(`past_${SOURCE}`) : size));
  return valueInfo(PAST_KEY_VALUES + name, ELEMENT[dtype], sizes);
}

function lowerModel({ outputs, keys }: ModelGraph, weights: FileWeights): LoweredGraph {
  const options = { target: 'wasm', weights, wideIntegers: true } as const;
  const program = lowerGraph(outputs, options);
  if (!keys) return program;
  const given = Object.entries(keys).map(([name, value]) => [name, inCache(name, value)] as const);
  const computed = lowerGraph(keys, { ...options, prefix: 'keys/' });
  return mergeChoice(program, { flag: FLAG, given: new Map(given), computed });
}

/** Value of `AttributeProto.AttributeType`. */
const GRAPH = 5;

interface MergeChoice {
  /** Name of the boolean input [1] that selects the branch. */
  flag: string;
  /** From inputs of the program to the inputs of the model that replace them if the flag is true. */
  given: ReadonlyMap<string, ValueInfoFields>;
  /**
   * Computes these inputs if the flag is false. Its outputs have their names; no other name occurs in both programs.
   */
  computed: LoweredGraph;
}

/**
 * Merges two programs into one with a branch. A boolean input selects whether some inputs of `program` are read from
 * the model's inputs or computed.
 */
function mergeChoice(program: LoweredGraph, { flag, given, computed }: MergeChoice): LoweredGraph {
  const names = [...given.keys()];
  const branch = (nodes: GraphFields['node'], suffix: string): GraphFields => ({
    name: `${PROGRAM}_${suffix}`,
    node: nodes,
    initializer: [],
    input: [],
    // The engine infers the types of the outputs.
    output: names.map((name) => ({ name })),
  });
  const taken = [...given].map(([name, { name: from }]) => identity(from, name));
  const choice = {
    name: flag,
    op_type: 'If',
    domain: '',
    input: [flag],
    output: names.map(chosen),
    attribute: [
      graphAttribute('then_branch', branch(taken, 'given')),
      graphAttribute('else_branch', branch(computed.nodes, 'computed')),
    ],
  };
  const inputs = new Map(
    [...program.inputs, ...computed.inputs, ...given.values()]
      .filter(({ name }) => !given.has(name))
      .map((input) => [input.name, input]),
  );
  const initializers = new Map(
    [...program.initializers, ...computed.initializers].map((tensor) => [tensor.name, tensor]),
  );
  const decides = {
    name: flag,
    type: { tensor_type: { elem_type: ELEMENT.bool, shape: { dim: [{ dim_value: 1 }] } } },
  };
  return {
    nodes: [
      choice,
      ...program.nodes.map((node) => ({
        ...node,
        input: node.input.map((name) => (given.has(name) ? chosen(name) : name)),
      })),
    ],
    initializers: [...initializers.values()],
    inputs: [...inputs.values(), decides],
    outputs: program.outputs,
    values: [],
  };
}

/**
 * The new name of an input in the program. The outputs of a branch and the outputs of the choice must have different
 * names.
 */
function chosen(name: string): string {
  return `${name}.chosen`;
}

function graphAttribute(name: string, g: GraphFields): AttributeFields {
  return { name, type: GRAPH, g };
}

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
function streamModel(
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

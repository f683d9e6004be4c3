import { PROGRAM } from '../../support/program.ts';
import { encodeProtobuf, type ProtobufField } from './encode-protobuf.ts';

/** A program as ONNX nodes and tensors. */
export interface LoweredGraph {
  /** Each node comes after the nodes that it reads. */
  nodes: NodeFields[];
  initializers: TensorFields[];
  inputs: ValueInfoFields[];
  outputs: ValueInfoFields[];
  /**
   * The types of values between nodes. The engine cannot infer all sizes. It looks for a dead value of equal size for
   * each value, which takes half a minute in a graph of some thousand nodes with unknown sizes.
   */
  values: ValueInfoFields[];
}

/**
 * The part of the ONNX schema (onnx.proto, IR version 10) that a lowered graph needs. Names and numbers are the
 * format's.
 */
const SCHEMA = {
  ModelProto: {
    ir_version: field('int64', 1),
    producer_name: field('string', 2),
    graph: field('GraphProto', 7),
    opset_import: repeated('OperatorSetIdProto', 8),
  },
  OperatorSetIdProto: { domain: field('string', 1), version: field('int64', 2) },
  GraphProto: {
    node: repeated('NodeProto', 1),
    name: field('string', 2),
    initializer: repeated('TensorProto', 5),
    input: repeated('ValueInfoProto', 11),
    output: repeated('ValueInfoProto', 12),
    value_info: repeated('ValueInfoProto', 13),
  },
  NodeProto: {
    input: repeated('string', 1),
    output: repeated('string', 2),
    name: field('string', 3),
    op_type: field('string', 4),
    attribute: repeated('AttributeProto', 5),
    domain: field('string', 7),
  },
  AttributeProto: {
    name: field('string', 1),
    f: field('float', 2),
    i: field('int64', 3),
    s: field('bytes', 4),
    g: field('GraphProto', 6),
    ints: repeated('int64', 8),
    type: field('int32', 20),
  },
  TensorProto: {
    dims: repeated('int64', 1),
    data_type: field('int32', 2),
    name: field('string', 8),
    raw_data: field('bytes', 9),
    external_data: repeated('StringStringEntryProto', 13),
    data_location: field('int32', 14),
  },
  StringStringEntryProto: { key: field('string', 1), value: field('string', 2) },
  ValueInfoProto: { name: field('string', 1), type: field('TypeProto', 2) },
  TypeProto: { tensor_type: field('TensorTypeProto', 1) },
  TensorTypeProto: { elem_type: field('int32', 1), shape: field('TensorShapeProto', 2) },
  TensorShapeProto: { dim: repeated('DimensionProto', 1) },
  DimensionProto: { dim_value: field('int64', 1), dim_param: field('string', 2) },
};

function field(type: string, id: number): ProtobufField {
  return { type, id };
}

function repeated(type: string, id: number): ProtobufField {
  return { type, id, repeated: true };
}

const OPSET = 21;
const IR_VERSION = 10;

/** A lowered program as an ONNX model, with the format's field names. */
export function modelFields({ nodes, initializers, inputs, outputs, values }: LoweredGraph): ModelFields {
  return {
    ir_version: IR_VERSION,
    producer_name: PROGRAM,
    opset_import: [
      { domain: '', version: OPSET },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: PROGRAM,
      node: nodes,
      initializer: initializers,
      input: inputs,
      output: outputs,
      value_info: values,
    },
  };
}

/** Encodes a model that is given with the format's field names. */
export function encodeModel(model: Partial<ModelFields>): Uint8Array {
  return encodeProtobuf(SCHEMA, 'ModelProto', model);
}

export function encodeGraph(graph: GraphFields): Uint8Array {
  return encodeProtobuf(SCHEMA, 'GraphProto', graph);
}

export function encodeTensor(tensor: TensorFields): Uint8Array {
  return encodeProtobuf(SCHEMA, 'TensorProto', tensor);
}

export interface ModelFields {
  ir_version: number;
  producer_name: string;
  opset_import: { domain: string; version: number }[];
  graph: GraphFields;
}

export interface GraphFields {
  name: string;
  node: NodeFields[];
  initializer: TensorFields[];
  input: ValueInfoFields[];
  output: (ValueInfoFields | Pick<ValueInfoFields, 'name'>)[];
  value_info?: readonly ValueInfoFields[];
}

/** Bytes that are produced while they are written. */
export interface ByteStream {
  byteLength: number;
  chunks(): Iterable<Uint8Array>;
}

export interface NodeFields {
  name: string;
  op_type: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: AttributeFields[];
}

export interface AttributeFields {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  ints?: number[];
  g?: GraphFields;
}

export interface TensorFields {
  name: string;
  dims: number[];
  data_type: number;
  raw_data?: Uint8Array;
  /** Replaces `raw_data` for bytes that are not in memory. Only `streamModel` writes such a tensor. */
  stream?: ByteStream;
  data_location?: number;
  external_data?: { key: string; value: string }[];
}

export interface ValueInfoFields {
  name: string;
  type: {
    tensor_type: {
      elem_type: number;
      shape: { dim: ({ dim_value: number } | { dim_param: string })[] };
    };
  };
}

/** Values of `TensorProto.DataType`. */
export const ELEMENT = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
  uint4: 21,
} as const;

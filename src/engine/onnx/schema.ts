import protobuf from 'protobufjs/minimal.js';
import { PROGRAM } from '../../support/program.ts';

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

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

const SCALARS = {
  int32: VARINT,
  int64: VARINT,
  float: FIXED_32,
  string: LENGTH_DELIMITED,
  bytes: LENGTH_DELIMITED,
} as const;

/** A field of a message: its type is a scalar type or another message. */
interface ProtobufField {
  type: string;
  id: number;
  repeated?: boolean;
}

/** Messages by name. Each lists its fields by name, in the order of their field numbers. */
export type ProtobufSchema = Readonly<Record<string, Readonly<Record<string, ProtobufField>>>>;

/**
 * Encodes a message. Only the library's writer is used, because its message types generate code at run time. The
 * content security policy of a page forbids that.
 *
 * @param value the fields by name; undefined fields are omitted
 * @throws Error for a field that the schema does not have
 */
export function encodeProtobuf(schema: ProtobufSchema, name: string, value: object): Uint8Array {
  return write(protobuf.Writer.create(), schema, name, value).finish();
}

function write(
  writer: protobuf.Writer,
  schema: ProtobufSchema,
  name: string,
  value: object,
): protobuf.Writer {
  const fields = schema[name]!;
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) throw new Error(`${name} has no field ${unknown}`);
  for (const [key, { type, id, repeated }] of Object.entries(fields)) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    const items = repeated ? (field as unknown[]) : [field];
    const wireType = isScalar(type) ? SCALARS[type] : LENGTH_DELIMITED;
    if (repeated && wireType === VARINT) {
      if (items.length === 0) continue;
      writer.uint32((id << 3) | LENGTH_DELIMITED).fork();
      for (const item of items) put(writer, schema, type, item);
      writer.ldelim();
    } else {
      for (const item of items) put(writer.uint32((id << 3) | wireType), schema, type, item);
    }
  }
  return writer;
}

/** Writes a value. The caller has written its tag. */
function put(writer: protobuf.Writer, schema: ProtobufSchema, type: string, item: unknown): void {
  if (isScalar(type)) (writer[type] as (item: unknown) => void).call(writer, item);
  else write(writer.fork(), schema, type, item as object).ldelim();
}

function isScalar(type: string): type is keyof typeof SCALARS {
  return Object.hasOwn(SCALARS, type);
}

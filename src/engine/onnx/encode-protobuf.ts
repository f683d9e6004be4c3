import protobuf from 'protobufjs/minimal.js';

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
export interface ProtobufField {
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

import { type Dimension, multiplyDimensions, Polynomial } from '../graph/dimension.ts';
import type { GraphNode, Value } from '../graph/graph.ts';
import {
  type AttributeFields,
  type ByteStream,
  ELEMENT,
  type NodeFields,
  type TensorFields,
  type ValueInfoFields,
} from './schema.ts';

type Attributes = Record<string, Attribute>;
/** An integer, integers, a string, or a float. Floats are wrapped because JavaScript cannot tell them from integers. */
type Attribute = number | readonly number[] | string | { float: number };

/**
 * The attribute that distinguishes a recomputed node from the original. The engine merges nodes with equal operators,
 * inputs and attributes. It accepts any attribute with a name that begins with two underscores, and no kernel reads it.
 */
const REPEAT = '__repeat';

/** Collects ONNX nodes and initializers, and computes run-time shapes from symbolic sizes. */
export class Emitter {
  readonly nodes: NodeFields[] = [];
  readonly initializers: TensorFields[] = [];
  readonly #declared = new Map<string, ValueInfoFields>();
  /** The graph node that is being lowered. ONNX nodes are named after its op, so that the engine's profile shows it. */
  origin: Pick<GraphNode, 'op' | 'repeat'> | undefined;
  readonly #shared = new Map<string, string>();
  readonly #made = new Map<string, readonly string[]>();
  readonly #symbols: ReadonlyMap<string, { input: string; axis: number }>;

  readonly #prefix: string;

  /**
   * @param inputs the graph's inputs. An axis with a single symbol as its size provides the symbol's value.
   * @param prefix of every generated name
   * @param saturates whether the processor adds two products of an unsigned and a signed byte in 16 bits. Sums beyond
   * 32,767 would then be wrong, so both factors must be unsigned.
   */
  constructor(
    inputs: readonly { name: string; value: Value }[],
    prefix = '',
    readonly saturates = false,
  ) {
    this.#prefix = prefix;
    const symbols = new Map<string, { input: string; axis: number }>();
    for (const { name, value } of inputs) {
      value.shape.forEach((size, axis) => {
        if (!symbols.has(String(size))) symbols.set(String(size), { input: name, axis });
      });
    }
    this.#symbols = symbols;
  }

  /** Adds a node with one output and returns that output's name. */
  emit(op: string, inputs: readonly string[], attributes: Attributes = {}, domain = ''): string {
    return this.emitMany(op, inputs, attributes, { outputs: 1, domain })[0]!;
  }

  emitMany(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    { outputs, domain = '' }: { outputs: number; domain?: string },
  ): string[] {
    const name = `${this.#prefix}${this.origin?.op}/${op}_${this.nodes.length}`;
    const repeat = this.origin?.repeat ?? 0;
    const output = Array.from({ length: outputs }, (_, i) => (outputs > 1 ? `${name}.${i}` : name));
    this.nodes.push({
      name,
      op_type: op,
      domain,
      input: [...inputs],
      output,
      attribute: Object.entries({ ...attributes, ...(repeat > 0 && { [REPEAT]: repeat }) }).map(
        encodeAttribute,
      ),
    });
    return output;
  }

  /** Declares the type of a node's output. Returns the output's name. */
  declare(name: string, type: number, shape: readonly Dimension[]): string {
    this.#declared.set(name, valueInfo(name, type, shape));
    return name;
  }

  /** The declared types of the outputs of nodes. */
  declarations(): ValueInfoFields[] {
    return this.nodes.flatMap(({ output }) => output.flatMap((name) => this.#declared.get(name) ?? []));
  }

  /** An int64 vector (or scalar) constant. */
  int64(data: readonly number[], shape: readonly number[] = [data.length]): string {
    return this.#share(`int64 ${data} [${shape}]`, (name) => {
      this.#initializer(name, 'int64', shape, BigInt64Array.from(data, BigInt));
      return name;
    });
  }

  float32(data: readonly number[], shape: readonly number[]): string {
    return this.#share(`float32 ${data} [${shape}]`, (name) => {
      this.#initializer(name, 'float32', shape, Float32Array.from(data));
      return name;
    });
  }

  int32(data: readonly number[], shape: readonly number[]): string {
    return this.#share(`int32 ${data} [${shape}]`, (name) => {
      this.#initializer(name, 'int32', shape, Int32Array.from(data));
      return name;
    });
  }

  /** An unsigned byte, by default a scalar. */
  uint8(value: number, shape: readonly number[] = []): string {
    return this.#share(`uint8 ${value} [${shape}]`, (name) => {
      const raw_data = new Uint8Array(shape.reduce((a, b) => a * b, 1)).fill(value);
      this.initializers.push({ name, dims: [...shape], data_type: ELEMENT.uint8, raw_data });
      return name;
    });
  }

  /** Adds a tensor from bytes that are produced while the model is written. */
  stream(name: string, data_type: number, dims: readonly number[], stream: ByteStream): string {
    this.initializers.push({ name, dims: [...dims], data_type, stream });
    return name;
  }

  /** Returns tensors that several nodes need. The first call with a key creates them. */
  once<T extends readonly [string, ...string[]]>(key: string, make: () => T): T {
    const known = this.#made.get(key);
    if (known) return known as T;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  /** A constant with equal 4-bit elements. `byte` holds two of them. */
  uint4(byte: number, shape: readonly number[]): string {
    return this.#share(`uint4 ${byte} [${shape}]`, (name) => {
      const raw_data = new Uint8Array(shape.reduce((a, b) => a * b, 1) / 2).fill(byte);
      this.initializers.push({ name, dims: [...shape], data_type: ELEMENT.uint4, raw_data });
      return name;
    });
  }

  /** Adds a second name for a frozen tensor: the same bytes with another shape and type. */
  alias(name: string, shape: readonly number[], data_type: number): string {
    const tensor = this.initializers.find((initializer) => initializer.name === name);
    if (!tensor) throw new Error(`${name} is no frozen tensor`);
    if (tensor.data_type === data_type && String(tensor.dims) === String(shape)) return name;
    return this.#share(`${name} as ${data_type} [${shape}]`, () => {
      const alias = `${name} as ${data_type} ${shape}`;
      this.initializers.push({ ...tensor, name: alias, dims: [...shape], data_type });
      return alias;
    });
  }

  /** A shape as an int64 vector, for ops such as Expand. */
  shape(shape: readonly Dimension[]): string {
    if (shape.every((size) => typeof size === 'number')) return this.int64(shape);
    return this.#share(`shape [${shape}]`, () =>
      shape.length === 1
        ? this.size(shape[0]!)
        : this.emit(
            'Concat',
            shape.map((size) => this.size(size)),
            { axis: 0 },
          ),
    );
  }

  /** A shape for Reshape. The engine may infer one unknown size. */
  reshape(shape: readonly Dimension[]): string {
    const unknown = shape.filter((size) => typeof size !== 'number').length;
    return unknown === 1
      ? this.int64(shape.map((size) => (typeof size === 'number' ? size : -1)))
      : this.shape(shape);
  }

  /** A size as an int64 vector of one element. */
  size(size: Dimension): string {
    if (typeof size === 'number') return this.int64([size]);
    return this.#share(`size ${size}`, () => {
      const terms = [...size.terms].map(([monomial, factor]) => {
        const names = monomial.split('*').filter(Boolean);
        const factors = names.map((name) => this.#symbol(name));
        if (factor !== 1 || factors.length === 0) factors.push(this.int64([factor]));
        return factors.reduce((a, b) => this.emit('Mul', [a, b]));
      });
      return terms.reduce((a, b) => this.emit('Add', [a, b]));
    });
  }

  /** The number of elements of a shape, as an int64 vector of one element. */
  count(shape: readonly Dimension[]): string {
    return this.size(shape.reduce(multiplyDimensions, 1));
  }

  #symbol(name: string): string {
    return this.#share(`symbol ${name}`, () => {
      const source = this.#symbols.get(name);
      if (!source) throw new Error(`no input has an axis of size ${name}`);
      return this.emit('Shape', [source.input], { start: source.axis, end: source.axis + 1 });
    });
  }

  #share(key: string, make: (name: string) => string): string {
    const known = this.#shared.get(key);
    if (known) return known;
    const name = make(`${this.#prefix}c${this.initializers.length}`);
    this.#shared.set(key, name);
    return name;
  }

  #initializer(
    name: string,
    type: 'int64' | 'float32' | 'int32',
    shape: readonly number[],
    data: BigInt64Array | Float32Array | Int32Array,
  ): void {
    const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ name, dims: [...shape], data_type: ELEMENT[type], raw_data });
  }
}

/** The declaration of a value's type. */
export function valueInfo(name: string, elem_type: number, shape: readonly Dimension[]): ValueInfoFields {
  const dim = shape.map((size) =>
    size instanceof Polynomial ? { dim_param: String(size) } : { dim_value: size },
  );
  return { name, type: { tensor_type: { elem_type, shape: { dim } } } };
}

/** AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, INTS 7. */
function encodeAttribute([name, value]: [string, Attribute]): AttributeFields {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: 1, f: value.float };
  return { name, type: 7, ints: [...value] };
}

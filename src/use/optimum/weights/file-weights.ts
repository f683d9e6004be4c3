import type { Dimension } from '../../../engine/graph/dimension.ts';
import type { GraphNode, Value } from '../../../engine/graph/graph.ts';
import { rowwiseByteProduct } from '../../../engine/onnx/byte-matmul.ts';
import type { Emitter } from '../../../engine/onnx/emitter.ts';
import type { NameOf, WeightStorage } from '../../../engine/onnx/lower-graph.ts';
import { ELEMENT } from '../../../engine/onnx/schema.ts';
import { finiteF16 } from '../../../input/formats/float.ts';
import { quantizeBlocks } from '../../../input/formats/quantize.ts';
import type { ReadRange } from '../../../methods/tuners/tuner.ts';
import { elementCount } from '../../../support/arrays.ts';

/** Rounding smaller matrices, such as a head of a few classes, saves too little. */
export const MIN_ROUNDED_ROWS = 32;

/** The byte that represents 0. Products of two unsigned bytes are right on every processor. */
const ZERO = 128;

/**
 * Stores a matrix as unsigned bytes, each row with a scale. A product also rounds its operand to bytes, each row with a
 * scale, so that a result does not depend on the rest of the batch. Products and lookups read the same matrix.
 */
export const byteRows: MatrixForm = {
  fits: ({ rows }) => rows >= MIN_ROUNDED_ROWS,
  product(e, matrix, x, rows) {
    const { bytes, scales } = stored(e, matrix);
    const [turned] = e.once(`${bytes} turned`, () => [e.emit('Transpose', [bytes], { perm: [1, 0] })]);
    return rowwiseByteProduct(e, { name: x, rows, width: matrix.columns }, turned, scales, true);
  },
  rows(e, matrix, ids) {
    const { bytes, scales } = stored(e, matrix);
    const found = e.emit('Cast', [e.emit('Gather', [bytes, ids], { axis: 0 })], { to: ELEMENT.float32 });
    const rows = e.emit('Sub', [found, e.float32([ZERO], [])]);
    const steps = e.emit('Unsqueeze', [e.emit('Gather', [scales, ids], { axis: 0 }), e.int64([-1])]);
    return e.emit('Mul', [rows, steps]);
  },
};

function stored(e: Emitter, matrix: Matrix): { bytes: string; scales: string } {
  const { name, rows, columns } = matrix;
  const [bytes, scales] = e.once(`${name} in bytes`, () => [
    e.stream(`${name}_quantized`, ELEMENT.uint8, [rows, columns], {
      byteLength: rows * columns,
      chunks: () =>
        quantized(matrix, ({ blocks }) => new Uint8Array(blocks.buffer).map((byte) => byte ^ ZERO)),
    }),
    e.stream(`${name}_scale`, ELEMENT.float32, [rows], {
      byteLength: rows * Float32Array.BYTES_PER_ELEMENT,
      chunks: () => quantized(matrix, ({ scales }) => new Uint8Array(scales.buffer)),
    }),
  ]);
  return { bytes, scales };
}

function* quantized(
  { columns, blocks }: Matrix,
  part: (rows: ReturnType<typeof quantizeBlocks>) => Uint8Array,
): Generator<Uint8Array> {
  for (const block of blocks()) yield part(quantizeBlocks(block, 8, columns));
}

/** A frozen matrix [rows, columns]. */
export interface Matrix {
  /** Prefix of the names of its tensors. */
  name: string;
  rows: number;
  columns: number;
  /** Returns the rows in order, several at a time. */
  blocks(): Iterable<Float32Array>;
}

/** Number of elements in memory at once: a megabyte. */
const BLOCK = 2 ** 18;

/** A frozen matrix as it is stored. A lookup returns its rows. */
function createTable(weight: Value, read: ReadRange): Matrix {
  const { name } = (weight.node as GraphNode<'weight'>).attributes;
  const [rows, columns] = weight.shape as [number, number];
  return {
    name,
    rows,
    columns,
    *blocks() {
      const atOnce = Math.max(1, Math.floor(BLOCK / columns));
      for (let from = 0; from < rows; from += atOnce) {
        yield read(name, from * columns, Math.min(rows, from + atOnce) * columns);
      }
    },
  };
}

/** The frozen matrix W of a product x Wᵀ. For a product x W, it is the transpose, which is read as a whole. */
function frozenFactor(product: GraphNode<'matmul'>, read: ReadRange): Matrix {
  const table = createTable(product.inputs[1], read);
  if (product.attributes.transposeB) return table;
  const { name, rows: columns, columns: rows } = table;
  return {
    name: `${name}.turned`,
    rows,
    columns,
    *blocks() {
      const stored = read(name, 0, rows * columns);
      const turned = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row++) {
        for (let i = 0; i < columns; i++) turned[row * columns + i] = stored[i * rows + row]!;
      }
      yield turned;
    },
  };
}

/** A form in which a file stores a frozen matrix, other than one float per element. */
export interface MatrixForm {
  fits(matrix: Matrix): boolean;
  /** Emits x Wᵀ for x [rows, columns]. */
  product?(emitter: Emitter, matrix: Matrix, x: string, rows: Dimension): string;
  /** Emits the rows with the given ids, [...ids, columns]. */
  rows?(emitter: Emitter, matrix: Matrix, ids: string): string;
}

/** How the weights of a file are stored. */
export interface WeightForms {
  /** The type of tensors without another form. Tensors with one axis stay float32, because they are small. */
  dtype: 'float32' | 'float16';
  /** Forms of a product's matrix, the best first. The first that fits is used. */
  products: readonly MatrixForm[];
  /** Forms of a lookup table, the best first. The first that fits is used. */
  tables: readonly MatrixForm[];
}

/** Weights that become part of the file. They are read while it is written. */
export class FileWeights implements WeightStorage {
  readonly #forms: WeightForms;
  readonly #read: ReadRange;

  constructor(forms: WeightForms, read: ReadRange) {
    this.#forms = forms;
    this.#read = read;
  }

  whole(emitter: Emitter, weight: Value): string {
    const name = this.#plain(emitter, weight);
    if (this.#dtypeOf(weight) === 'float32') return name;
    // The engine widens it when the session starts, because products are computed in float32.
    return emitter.once(`${name} widened`, () => [emitter.emit('Cast', [name], { to: ELEMENT.float32 })])[0];
  }

  reads(node: GraphNode): boolean {
    if (isLookUp(node))
      return this.#dtypeOf(node.inputs[0]) === 'float16' || this.#formOf(node) !== undefined;
    return isProduct(node) && this.#formOf(node) !== undefined;
  }

  lower(emitter: Emitter, node: GraphNode, nameOf: NameOf): string {
    const form = this.#formOf(node);
    const [first, second] = node.inputs;
    if (isProduct(node)) return form!.form.product!(emitter, form!.matrix, nameOf(first), first.shape[0]!);
    if (form) return form.form.rows!(emitter, form.matrix, nameOf(second));
    const rows = emitter.emit('Gather', [this.#plain(emitter, first), nameOf(second)], { axis: 0 });
    return emitter.emit('Cast', [rows], { to: ELEMENT.float32 });
  }

  #formOf(node: GraphNode): { form: MatrixForm; matrix: Matrix } | undefined {
    const { products, tables } = this.#forms;
    const matrix = isProduct(node) ? frozenFactor(node, this.#read) : createTable(node.inputs[0], this.#read);
    const form = (isProduct(node) ? products : tables).find(({ fits }) => fits(matrix));
    return form && { form, matrix };
  }

  #dtypeOf({ shape }: Value): WeightForms['dtype'] {
    return shape.length > 1 ? this.#forms.dtype : 'float32';
  }

  /** Adds the tensor without a matrix form, in the type of `dtype`. */
  #plain(emitter: Emitter, weight: Value): string {
    const { name } = (weight.node as GraphNode<'weight'>).attributes;
    const shape = weight.shape as number[];
    const [dtype, count, read] = [this.#dtypeOf(weight), elementCount(shape), this.#read];
    function* chunks() {
      for (let start = 0; start < count; start += BLOCK) {
        const values = read(name, start, Math.min(count, start + BLOCK));
        const { buffer, byteOffset, byteLength } =
          dtype === 'float16' ? finiteF16(values, name, 'Leave fp16 out of --dtype.') : values;
        yield new Uint8Array(buffer, byteOffset, byteLength);
      }
    }
    const byteLength = count * (dtype === 'float16' ? 2 : 4);
    return emitter.once(`weight ${name}`, () => [
      emitter.stream(name, ELEMENT[dtype], shape, { byteLength, chunks }),
    ])[0];
  }
}

/** Whether a node is a plain product with a frozen matrix. */
function isProduct(node: GraphNode): node is GraphNode<'matmul'> {
  if (node.op !== 'matmul') return false;
  const { transposeA, scale } = (node as GraphNode<'matmul'>).attributes;
  const [x, matrix] = node.inputs;
  const isFrozen = matrix.node.op === 'weight' && x.node.op !== 'weight';
  return isFrozen && matrix.shape.length === 2 && x.shape.length === 2 && !transposeA && scale === 1;
}

function isLookUp({ op, inputs: [table] }: GraphNode): boolean {
  return op === 'gather' && table.node.op === 'weight' && table.shape.length === 2;
}

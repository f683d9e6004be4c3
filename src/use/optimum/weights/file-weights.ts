import type { GraphNode, Value } from '../../../engine/graph/graph.ts';
import type { Emitter } from '../../../engine/onnx/emitter.ts';
import type { NameOf, WeightStorage } from '../../../engine/onnx/encode-model.ts';
import { ELEMENT } from '../../../engine/onnx/schema.ts';
import { f32ToF16 } from '../../../input/formats/float.ts';
import type { ReadRange } from '../../../methods/tuners/tuner.ts';
import { elementCount } from '../../../support/arrays.ts';
import { UserError } from '../../../support/user-error.ts';
import { BLOCK, frozenFactor, type Matrix, type MatrixForm, tableOf } from './matrix.ts';

/** How the weights of a file are stored. */
export interface WeightForms {
  /** The type of tensors without another form. Tensors with one axis stay float32, because they are small. */
  dtype: 'float32' | 'float16';
  /** Forms of a product's matrix, the best first. The first that fits is used. */
  products: readonly MatrixForm[];
  /** Forms of a lookup table, the best first. The first that fits is used. */
  tables: readonly MatrixForm[];
}

/** float16 rounds this number and larger ones to infinity. */
const FLOAT16_OVERFLOW = 65520;

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
    const matrix = isProduct(node) ? frozenFactor(node, this.#read) : tableOf(node.inputs[0], this.#read);
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
        const { buffer, byteOffset, byteLength } = dtype === 'float16' ? halves(values, name) : values;
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

function halves(values: Float32Array, name: string): Uint16Array {
  const beyond = values.find((value) => Math.abs(value) >= FLOAT16_OVERFLOW);
  if (beyond === undefined) return f32ToF16(values);
  throw new UserError({
    where: name,
    fault: `has the value ${beyond}, beyond float16's limit of ${FLOAT16_OVERFLOW}`,
    hint: 'Leave fp16 out of --dtype.',
  });
}

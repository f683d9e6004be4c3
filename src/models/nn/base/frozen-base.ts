import {
  type ByteMatrix,
  blockMatmul,
  byteMatmul,
  columnByteMatmul,
  multiply,
  weight,
} from '../../../engine/graph/build.ts';
import type { Graph, Value } from '../../../engine/graph/graph.ts';

/**
 * Whether the engine copies the integers into the layout that its kernels prefer. `alone`: only if a single process
 * uses the weights. Several processes share the memory of the file, and the copies are only a few percent faster.
 */
export type Packing = 'alone' | 'never';

/** Weights of linear modules in a rounded form, which replaces the checkpoint's weights. */
export interface FrozenBase {
  /** The modules with rounded weights. All others use the checkpoint's weights. */
  readonly paths: ReadonlySet<string>;
  /** Path of the weight that produces the logits of words. Only graphs that generate text read its rounded form. */
  readonly words?: string;
  readonly packing: Packing;
  /**
   * Returns x Wᵀ for x [rows, in] and the weight W of the module `path`, with `outFeatures` rows.
   *
   * @param generates whether the graph generates text. Such a graph reads few rows and is never differentiated.
   */
  product(path: string, x: Value, outFeatures: number, generates: boolean): Value;
}

/** Suffixes of the two tensors that replace a weight: its integers and their scales. */
export const INTEGERS = '.integers';
export const SCALES = '.scales';
/** Suffix of the tensor with the norm of each row of a weight. The norms cannot be computed from the integers. */
export const NORMS = '.norms';

/**
 * Stores weights as blocks of small integers, each block with a scale. This saves memory. Graphs that generate text
 * also round activations in blocks: most of their time is spent on reading weights, and the fast kernels need bytes.
 *
 * @param bitsOf returns the bits per element of a weight
 * @param words see {@link FrozenBase.words}
 */
export function blockBase(
  paths: ReadonlySet<string>,
  bitsOf: (path: string) => 4 | 8,
  blockSize: number,
  words?: string,
): FrozenBase {
  return {
    paths,
    words,
    packing: 'never',
    product(path, x, outFeatures, generates) {
      const { graph } = x.node;
      const bits = bitsOf(path);
      const name = `${path}.weight`;
      const inFeatures = x.shape[1] as number;
      const blocks = (inFeatures * outFeatures) / blockSize;
      const values = weight(graph, name + INTEGERS, [blocks, (blockSize * bits) / 8], 'uint8');
      const scales = weight(graph, name + SCALES, [blocks]);
      const sizes = { bits, blockSize, inFeatures, outFeatures };
      return blockMatmul(x, values, scales, { ...sizes, backward: false, rounded: generates });
    },
  };
}

/** Suffix of the name of a weight's smoothing factors. They multiply the columns of its operand. */
export const SMOOTHING = '.smoothing';

/**
 * The smoothing of outlier columns in operands (Xiao et al., 2023, SmoothQuant). Modules that read the same x have equal
 * factors, so x is smoothed once for all of them.
 */
function createSmoothing() {
  const known = new WeakMap<Value, { factors: Value; smoothed?: Value }>();
  const smooth = (x: Value, name: string) => {
    const entry = known.get(x) ?? { factors: weight(x.node.graph, name + SMOOTHING, [x.shape[1] as number]) };
    known.set(x, entry);
    return entry;
  };
  return {
    /** The factors of x's columns, from the first weight `name` that reads x. */
    factors: (x: Value, name: string): Value => smooth(x, name).factors,
    /** x with its columns multiplied by their factors. */
    smoothed(x: Value, name: string): Value {
      const entry = smooth(x, name);
      entry.smoothed ??= multiply(x, entry.factors);
      return entry.smoothed;
    },
  };
}

/** Suffix of the name of a weight's mirror: the matrix that multiplies gradients. */
export const MIRROR = '.mirror';

/**
 * Stores weights as bytes. Activations and gradients are also rounded to bytes, because products of bytes are the
 * fastest. Each of their rows has a scale, so no row depends on others in its batch. Each weight is stored twice, because
 * the scales of a product belong to its output axis: one copy is rounded along the rows, the other along the columns.
 *
 * @param normalized the modules that read the output of a layer norm. The outlier columns of their operand are smoothed.
 */
export function byteBase(paths: ReadonlySet<string>, normalized: ReadonlySet<string>): FrozenBase {
  const { factors } = createSmoothing();
  return {
    paths,
    packing: 'alone',
    product(path, x, outFeatures) {
      const { graph } = x.node;
      const name = `${path}.weight`;
      const inFeatures = x.shape[1] as number;
      const operand = byteMatrix(graph, name, inFeatures, outFeatures);
      const mirror = byteMatrix(graph, name + MIRROR, outFeatures, inFeatures);
      return byteMatmul(x, operand, mirror, normalized.has(path) ? factors(x, name) : undefined);
    },
  };
}

/** The stored matrix `name` [rows, columns] of bytes, with a scale for each column. */
function byteMatrix(graph: Graph, name: string, rows: number, columns: number): ByteMatrix {
  return [weight(graph, name + INTEGERS, [rows, columns], 'uint8'), weight(graph, name + SCALES, [columns])];
}

/** Suffix of the name of a weight that is stored as bytes with a scale for each output. */
export const COLUMNS = '.columns';

/**
 * Stores weights as bytes, with a scale for each output. Activations and gradients are also rounded to bytes, with a
 * scale for each row. A weight is stored once: its product with a gradient transposes it.
 *
 * @param normalized the modules that read the output of a norm. The outlier columns of their operand are smoothed.
 */
export function columnByteBase(paths: ReadonlySet<string>, normalized: ReadonlySet<string>): FrozenBase {
  const { smoothed } = createSmoothing();
  return {
    paths,
    packing: 'never',
    product(path, x, outFeatures) {
      const name = `${path}.weight`;
      const operand = normalized.has(path) ? smoothed(x, name) : x;
      const matrix = byteMatrix(x.node.graph, name + COLUMNS, x.shape[1] as number, outFeatures);
      return columnByteMatmul(operand, matrix);
    },
  };
}

import { add, concat, constant, matmul, reshape, slice, transpose } from '../../engine/graph/build.ts';
import { type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { forEveryText } from './embedding.ts';
import type { Network } from './network.ts';

/** Rows and columns of patches. */
export interface Grid {
  rows: number;
  columns: number;
}

/**
 * Projects the patches of images [batch, channels, height, width], a convolution whose stride is its kernel, as one
 * product. Pixels beyond the last whole patch are not read. Returns [patches · batch, width], patch-major.
 *
 * @param module has the weight [width, channels, patch, patch]
 */
export function patchEmbedding(
  module: Network,
  pixels: Value,
  patch: number,
  width: number,
  hasBias = true,
): { patches: Value; grid: Grid; batch: Dimension } {
  const [batch, channels, height, wide] = pixels.shape as [Dimension, number, number, number];
  const grid = { rows: Math.floor(height / patch), columns: Math.floor(wide / patch) };
  const whole = slice(slice(pixels, 2, 0, grid.rows * patch), 3, 0, grid.columns * patch);
  const cut = reshape(whole, [batch, channels, grid.rows, patch, grid.columns, patch]);
  const size = channels * patch * patch;
  const rows = multiplyDimensions(grid.rows * grid.columns, batch);
  const patches = reshape(transpose(cut, [2, 4, 0, 1, 3, 5]), [rows, size]);
  const kernel = module.parameter('weight', [width, channels, patch, patch]);
  const projected = matmul(patches, reshape(kernel, [width, size]), { transposeB: true });
  return {
    patches: hasBias ? add(projected, module.parameter('bias', [width])) : projected,
    grid,
    batch,
  };
}

/** Puts a token [.., width] before the patches of every image. */
export function withTokens(tokens: Value, patches: Value, batch: Dimension): Value {
  const width = patches.shape[1] as number;
  const count = tokens.shape.slice(0, -1).reduce<number>((product, size) => product * (size as number), 1);
  return concat([forEveryText(reshape(tokens, [count, width]), batch), patches], 0);
}

/** How positions of a grid of patches become those of another grid. */
interface Interpolation {
  /** Whether PyTorch's `antialias` is set. */
  antialias: boolean;
  /** The grid of the table. Default: a square. */
  from?: Grid;
}

/**
 * Position embeddings of the patches of an image, [patches, width]: cut from a table [1, tokens + grid², width] or
 * [tokens + grid², width], and interpolated with a bicubic filter if the image's grid is another one.
 *
 * @param tokens number of rows before those of the patches
 */
export function patchPositions(
  table: Value,
  tokens: number,
  { rows, columns }: Grid,
  { antialias, from }: Interpolation,
): Value {
  const { graph } = table.node;
  const width = table.shape.at(-1) as number;
  const count = table.shape.at(-2) as number;
  const all = slice(reshape(table, [count, width]), 0, tokens, count);
  const side = Math.round(Math.sqrt(count - tokens));
  const { rows: height, columns: wide } = from ?? { rows: side, columns: side };
  if (rows === height && columns === wide) return all;
  const resampled = (old: number, length: number) =>
    constant(graph, bicubicMatrix(old, length, antialias), [length, old]);
  const down = matmul(resampled(height, rows), reshape(all, [height, wide * width]));
  const across = transpose(reshape(down, [rows, wide, width]), [1, 0, 2]);
  const narrowed = matmul(resampled(wide, columns), reshape(across, [wide, rows * width]));
  return reshape(transpose(reshape(narrowed, [columns, rows, width]), [1, 0, 2]), [rows * columns, width]);
}

/**
 * The matrix [resized, length] of PyTorch's bicubic interpolation without aligned corners. With `antialias`, the filter
 * is stretched when it shrinks, a is -0.5 and the edges are cut off; otherwise a is -0.75 and the edges are repeated.
 */
function bicubicMatrix(length: number, resized: number, antialias: boolean): number[] {
  const matrix = new Array<number>(resized * length).fill(0);
  const scale = length / resized;
  const stretch = antialias ? Math.max(1, scale) : 1;
  for (let i = 0; i < resized; i++) {
    const center = (i + 0.5) * scale;
    if (!antialias) {
      const place = center - 0.5;
      const first = Math.floor(place) - 1;
      for (let k = first; k < first + 4; k++) {
        const column = Math.min(length - 1, Math.max(0, k));
        matrix[i * length + column]! += cubic(place - k, -0.75);
      }
      continue;
    }
    const reach = 2 * stretch;
    const first = Math.max(0, Math.trunc(center - reach + 0.5));
    const last = Math.min(length, Math.trunc(center + reach + 0.5));
    const weights = Array.from({ length: last - first }, (_, k) =>
      cubic((k + first - center + 0.5) / stretch, -0.5),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    for (const [k, weight] of weights.entries()) matrix[i * length + first + k] = weight / sum;
  }
  return matrix;
}

function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

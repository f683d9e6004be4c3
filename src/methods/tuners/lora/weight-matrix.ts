import type { LinearModule } from '../../../models/nn/network.ts';
import type { LoraConfig } from './config.ts';

/** The weight W [outFeatures, inFeatures] of a linear module, for products with vectors in 64 bits. */
export class WeightMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly #data: Float32Array;
  readonly #transposed: boolean;

  /** @param data as the checkpoint stores it */
  constructor({ outFeatures, inFeatures, transposed = false }: LinearModule, data: Float32Array) {
    this.rows = outFeatures;
    this.columns = inFeatures;
    this.#data = data;
    this.#transposed = transposed;
  }

  /** W v: [rows] */
  times(v: Float64Array): Float64Array {
    return this.#transposed ? combined(this.#data, v, this.rows) : products(this.#data, v, this.rows);
  }

  /** Wᵀ u: [columns] */
  turnedTimes(u: Float64Array): Float64Array {
    return this.#transposed ? products(this.#data, u, this.columns) : combined(this.#data, u, this.columns);
  }

  /** The Euclidean length of each row. */
  norms(): Float64Array {
    const squares = new Float64Array(this.rows);
    for (let i = 0; i < this.#data.length; i++) {
      const row = this.#transposed ? i % this.rows : Math.floor(i / this.columns);
      squares[row]! += this.#data[i]! * this.#data[i]!;
    }
    return squares.map(Math.sqrt);
  }
}

/** The product of each stored row with a vector. */
function products(data: Float32Array, vector: Float64Array, count: number): Float64Array {
  const width = vector.length;
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += data[row * width + i]! * vector[i]!;
    return sum;
  });
}

/** The sum of the stored rows, weighted by the elements of a vector. */
function combined(data: Float32Array, vector: Float64Array, width: number): Float64Array {
  const sum = new Float64Array(width);
  vector.forEach((factor, row) => {
    for (let i = 0; i < width; i++) sum[i]! += factor * data[row * width + i]!;
  });
  return sum;
}

/** The name and shape of a module's weight, as the checkpoint stores it. */
export function weightOf({ path, inFeatures, outFeatures, transposed }: LinearModule): [string, number[]] {
  return [`${path}.weight`, transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures]];
}

/** Whether the scale is rsLoRA's, by PEFT's key or adalora's. */
export function isRankStabilised({ use_rslora, scale }: Pick<LoraConfig, 'use_rslora' | 'scale'>): boolean {
  return use_rslora || scale === 'rslora';
}

import { existsSync } from 'node:fs';
import type { StoredTensor } from '../../../src/input/formats/tensor-data.ts';
import { readSafetensors, writeSafetensors } from '../../../tests/support/safetensors-file.ts';
import type { TeacherVectors } from '../teacher/teacher-vectors.ts';

/**
 * Scales each element of the teacher's vectors to mean 0 and variance 1. The error of predicting the mean is
 * then 1.
 */
export interface Scale {
  mean: Float32Array;
  factor: Float32Array;
}

export interface TargetScales {
  chunks: Scale;
  words: Scale;
}

/** Elements with a smaller variance are not scaled up, because a constant element teaches nothing. */
const MIN_VARIANCE = 1e-6;
const SAMPLE = 1024;
const AT_ONCE = 32;

/** Measures the scales on the first chunks, and stores them in the file `path`. */
export async function targetScales(
  vectors: TeacherVectors,
  width: number,
  path: string,
): Promise<TargetScales> {
  if (!existsSync(path)) {
    const chunkSums = new Moments(width);
    const wordSums = new Moments(width);
    for (let start = 0; start < SAMPLE; start += AT_ONCE) {
      const sample = Int32Array.from({ length: AT_ONCE }, (_, i) => start + i);
      for (const found of await vectors.of(sample)) {
        chunkSums.add(found.subarray(0, width));
        for (let at = width; at < found.length; at += width) wordSums.add(found.subarray(at, at + width));
      }
    }
    const stored = (data: Float32Array): StoredTensor => ({ dtype: 'F32', shape: [width], data });
    const tensors = Object.entries({ chunks: chunkSums.scale(), words: wordSums.scale() }).flatMap(
      ([name, { mean, factor }]): [string, StoredTensor][] => [
        [`${name}.mean`, stored(mean)],
        [`${name}.factor`, stored(factor)],
      ],
    );
    writeSafetensors(path, new Map(tensors));
  }
  const file = readSafetensors(path);
  const read = (name: string) => file.get(name)?.data as Float32Array;
  const scale = (name: string): Scale => ({ mean: read(`${name}.mean`), factor: read(`${name}.factor`) });
  return { chunks: scale('chunks'), words: scale('words') };
}

class Moments {
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;
  #count = 0;

  constructor(width: number) {
    this.#sum = new Float64Array(width);
    this.#squares = new Float64Array(width);
  }

  add(vector: Float32Array): void {
    this.#count++;
    vector.forEach((x, i) => {
      this.#sum[i]! += x;
      this.#squares[i]! += x * x;
    });
  }

  scale(): Scale {
    const mean = Float32Array.from(this.#sum, (sum) => sum / this.#count);
    const factor = Float32Array.from(this.#squares, (sum, i) => {
      const variance = sum / this.#count - mean[i]! ** 2;
      return variance > MIN_VARIANCE ? 1 / Math.sqrt(variance) : 0;
    });
    return { mean, factor };
  }
}

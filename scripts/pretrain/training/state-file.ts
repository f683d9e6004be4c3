import { existsSync } from 'node:fs';
import type { StoredTensor } from '../../../src/input/formats/tensor-data.ts';
import { openSafetensors, writeSafetensors } from '../../../tests/support/safetensors-file.ts';

/** The state of a run. */
export interface RunState {
  /** Training time in seconds, without pauses. */
  seconds: number;
  step: number;
  /** Number of tokens read so far, without special tokens and padding. */
  tokens: number;
  epoch: number;
  /** Number of finished batches in the current epoch. */
  batch: number;
  values: Float32Array;
  m: Float32Array;
  v: Float32Array;
}

const TENSORS = ['values', 'm', 'v'] as const;

export function writeState(path: string, { values, m, v, ...numbers }: RunState): void {
  const stored = (data: Float32Array): StoredTensor => ({ dtype: 'F32', shape: [data.length], data });
  const tensors = new Map([
    ['values', stored(values)],
    ['m', stored(m)],
    ['v', stored(v)],
  ]);
  writeSafetensors(path, tensors, { run: JSON.stringify(numbers) });
}

/** Undefined if the file does not exist. */
export function readState(path: string): RunState | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSafetensors(path);
  const [values, m, v] = TENSORS.map((name) => file.readFloat32(name));
  const numbers = JSON.parse(file.header.metadata.run!);
  file.close();
  return { ...numbers, values, m, v };
}

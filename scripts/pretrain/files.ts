import { join } from 'node:path';

/** The files that a pretraining run reads. */
export const FILES = {
  corpus: '../shared/data/text',
  teacher: '../shared/models/all-MiniLM-L6-v2',
};

/** The vocabulary, the tokens and the teacher's vectors of a corpus. They are made once and used by all runs. */
export interface Prepared {
  folder: string;
  train: string;
  heldOut: string;
}

export function preparedIn(folder: string): Prepared {
  const file = (name: string) => join(folder, `${name}.safetensors`);
  return { folder, train: file('train'), heldOut: file('held-out') };
}

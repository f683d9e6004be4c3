import { join } from 'node:path';

/** The files that a pretraining run reads. */
export const FILES = {
  corpus: '../shared/data/text',
  teacher: '../shared/models/all-MiniLM-L6-v2',
};

/** Vocabulary, tokens and the teacher's vectors of a corpus: made once, used by all runs. */
export interface Prepared {
  folder: string;
  train: string;
  heldOut: string;
}

export function preparedIn(folder: string): Prepared {
  const file = (name: string) => join(folder, `${name}.safetensors`);
  return { folder, train: file('train'), heldOut: file('held-out') };
}

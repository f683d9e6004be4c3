import { join } from 'node:path';

/** What a pretraining run reads and writes. */
export const FILES = {
  corpus: '../shared/data/text',
  teacher: '../shared/models/all-MiniLM-L6-v2',
  /** Vocabulary, tokens and the teacher's vectors: made once, used by all runs. */
  prepared: 'runs/pretrain/prepared',
};

export const prepared = {
  train: join(FILES.prepared, 'train.safetensors'),
  heldOut: join(FILES.prepared, 'held-out.safetensors'),
};

// Loaded before the program (NODE_OPTIONS=--import): each session of the engine appends its number of threads to the
// file TOLD.
import { appendFileSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-node';

const { create } = InferenceSession;
InferenceSession.create = (...args) => {
  appendFileSync(process.env.TOLD, `${args.at(-1).intraOpNumThreads}\n`);
  return create.apply(InferenceSession, args);
};

// Loaded before the program: while TOLD is set, each session of the engine appends its number of threads to that file.
import { appendFileSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-node';

const { create } = InferenceSession;
InferenceSession.create = (...args) => {
  if (process.env.TOLD) appendFileSync(process.env.TOLD, `${args.at(-1).intraOpNumThreads}\n`);
  return create.apply(InferenceSession, args);
};

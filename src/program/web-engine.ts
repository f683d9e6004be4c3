import { createSession, type WebSessionOptions } from '../engine/runtime/web-session.ts';
import { type Engine, masksOn } from './engine.ts';
import { loweredWithFiles } from './lowered.ts';
import type { ModelWeights } from './weight-memory.ts';

export interface WebEngineOptions extends Omit<WebSessionOptions, 'weightFiles'> {
  /** Returns the content of a weight file. Each session calls it once and copies what it reads. */
  weights(file: string): Uint8Array;
}

/** Runs a model's graphs in a page, or on WebAssembly in Node. The weights are in memory. */
export function webEngine({ locate }: Pick<ModelWeights, 'locate'>, options: WebEngineOptions): Engine {
  const { weights, ...session } = options;
  return {
    masks: masksOn(session.device),
    async open(outputs) {
      const { encoded, files } = loweredWithFiles(outputs, { target: session.device, locate });
      const weightFiles = files.map((path) => ({ path, data: weights(path) }));
      return createSession(encoded, { ...session, weightFiles });
    },
  };
}

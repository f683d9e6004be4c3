import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lower } from '../../onnx/lower.ts';
import { createSession } from '../../runtime/node/create-session.ts';
import type { Device } from '../../runtime/session.ts';
import type { Engine } from '../engine.ts';
import type { ModelWeights } from '../model-weights.ts';
import { packsWeights } from '../packs-weights.ts';
import { webEngine } from '../web-engine.ts';

/**
 * Runs a model's graphs in Node, with weights mapped from the checkpoint (on WebAssembly: in memory).
 *
 * @param profilePrefix where the engine's profile of each session goes when it is released
 */
export function nodeEngine(model: ModelWeights, device: Device, profilePrefix?: string): Engine {
  const { weightFolder, locate, prepack } = model;
  if (device === 'wasm') {
    return webEngine(model, { device, weights: (file) => readFileSync(join(weightFolder, file)) });
  }
  return {
    masks: device === 'webgpu' ? 'graph' : 'host',
    open(outputs, { packed = false } = {}) {
      const packs = packsWeights(Object.values(outputs), prepack, packed);
      const encoded = lower(outputs, { target: device, locate });
      return createSession(encoded, { device, weightFolder, prepack: packs, profilePrefix });
    },
  };
}

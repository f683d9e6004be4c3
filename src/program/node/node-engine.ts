import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../engine/runtime/session.ts';
import { disk } from '../../input/formats/node/folder-files.ts';
import { assertOptions, BOOLEAN, COUNT, type OptionTypes, TEXT } from '../../support/options.ts';
import { type Engine, masksOn } from '../engine.ts';
import { unchanged } from '../unchanged.ts';
import type { ModelWeights } from '../weight-memory.ts';

export interface NodeEngineOptions {
  /** Number of threads within an operator. */
  threads?: number;
  /** Whether other processes of this host use the same weights. If so, all of them map the weights. */
  sharesHost?: boolean;
  /** Prefix of profile files. Each session writes its profile when it is released. */
  profilePrefix?: string;
}

const ENGINE_OPTIONS: OptionTypes<NodeEngineOptions> = {
  threads: COUNT,
  sharesHost: BOOLEAN,
  profilePrefix: TEXT,
};

/**
 * Runs a model's graphs in Node. Weights are mapped from the checkpoint, on WebAssembly loaded into memory. The engine's
 * code is loaded with the first session.
 *
 * @throws UserError if the weights have changed before a session opens
 */
export function nodeEngine(model: ModelWeights, device: Device, given: NodeEngineOptions = {}): Engine {
  assertOptions('nodeEngine', given, ENGINE_OPTIONS);
  const { sharesHost = false, ...options } = given;
  const { weightFolder, locate, packing } = model;
  // A model with new weights has no folder.
  const check = weightFolder ? unchanged(disk.within(weightFolder)) : () => {};
  if (device === 'wasm') {
    const weights = (file: string) => {
      check([file]);
      return readFileSync(join(weightFolder, file));
    };
    return {
      masks: masksOn(device),
      async open(outputs) {
        const { webEngine } = await import('../web-engine.ts');
        return webEngine(model, { device, weights, threads: options.threads }).open(outputs);
      },
    };
  }
  return {
    masks: masksOn(device),
    async open(outputs, { packed = false } = {}) {
      const [{ loweredWithFiles }, { createSession }, { packsWeights }] = await Promise.all([
        import('../lowered.ts'),
        import('../../engine/runtime/node/create-session.ts'),
        import('../weight-memory.ts'),
      ]);
      const packs = packsWeights(Object.values(outputs), { packing, wanted: packed, sharesHost });
      const { encoded, files } = loweredWithFiles(outputs, { target: device, locate });
      check(files);
      return createSession(encoded, { device, weightFolder, prepack: packs, ...options });
    },
  };
}

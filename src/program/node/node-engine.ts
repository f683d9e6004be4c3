import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Value } from '../../graph/graph.ts';
import { lower } from '../../onnx/lower.ts';
import type { ModelWeights } from '../../program/model-weights.ts';
import { createSession } from '../../runtime/node/create-session.ts';
import type { Device, Session } from '../../runtime/session.ts';
import type { Engine } from '../engine.ts';
import { packsWeights } from '../packs-weights.ts';

/**
 * Runs a model's graphs in Node, its weights mapped from the checkpoint (on WebAssembly: held in memory).
 *
 * @param profilePrefix where the engine's profile of each session goes when it is released
 */
export function nodeEngine(
  { weightFolder, locate, prepack }: ModelWeights,
  device: Device,
  profilePrefix?: string,
): Engine {
  const encode = (outputs: Readonly<Record<string, Value>>) => lower(outputs, { target: device, locate });
  if (device === 'wasm') return { open: (outputs) => openOnWasm(encode(outputs), weightFolder) };
  return {
    masks: device === 'webgpu' ? 'graph' : 'host',
    open(outputs, { packed = false } = {}) {
      const packs = packsWeights(Object.values(outputs), prepack, packed);
      return createSession(encode(outputs), { device, weightFolder, prepack: packs, profilePrefix });
    },
  };
}

async function openOnWasm(model: Uint8Array, folder: string): Promise<Session> {
  const web = await import('../../runtime/web/create-session.ts');
  const weightFiles = readdirSync(folder)
    .filter((name) => /\.(safetensors|bin)$/.test(name))
    .map((path) => ({ path, data: readFileSync(join(folder, path)) }));
  return web.createSession(model, { device: 'wasm', weightFiles });
}

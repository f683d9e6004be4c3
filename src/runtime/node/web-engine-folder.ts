import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** The engine's files that a page fetches: for WebAssembly alone, and those with WebGPU. */
export const WEB_ENGINE_FILES = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.asyncify'].flatMap(
  (name) => [`${name}.mjs`, `${name}.wasm`],
);

/** The folder that {@link WEB_ENGINE_FILES} lie in. */
export function webEngineFolder(): string {
  return dirname(createRequire(import.meta.url).resolve(`onnxruntime-web/${WEB_ENGINE_FILES[0]}`));
}

import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const { resolve } = createRequire(import.meta.url);

/** The engine files that a page downloads, for two builds: WebAssembly alone, and with WebGPU. */
export const WEB_ENGINE_FILES = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.asyncify'].flatMap(
  (name) => [`${name}.mjs`, `${name}.wasm`],
);

/** The folder of the {@link WEB_ENGINE_FILES}. */
export function webEngineFolder(): string {
  return dirname(resolve(`onnxruntime-web/${WEB_ENGINE_FILES[0]}`));
}

import { UserError } from '../../support/user-error.ts';
import type { Device } from '../session.ts';

/** One of the engine's builds for the web. */
export type WebEngine = typeof import('onnxruntime-web');

/**
 * The build of the engine for a device: of several the smallest. That for WebAssembly alone is the same binary in Node
 * and in a page.
 *
 * @throws UserError where there is no GPU: the engine would go on without one, and not say so
 */
export async function loadEngine(device: Exclude<Device, 'cpu'>): Promise<WebEngine> {
  if (device === 'wasm') return import('#wasm-engine');
  await findGpu();
  return import('onnxruntime-web/webgpu');
}

async function findGpu(): Promise<void> {
  const gpu = 'gpu' in navigator ? navigator.gpu : undefined;
  if (await gpu?.requestAdapter()) return;
  throw new UserError({
    where: 'device',
    expected: 'a GPU',
    got: gpu ? 'none that WebGPU can use' : 'a browser without WebGPU, or a page that is not served by https',
    hint: 'Use the device wasm.',
  });
}

import { UserError } from '../../support/user-error.ts';
import { notInstalled } from '../not-installed.ts';
import type { Device } from '../session.ts';

/** One of the engine's builds for the web. */
export type WebEngine = typeof import('onnxruntime-web');

/**
 * Loads the smallest build of the engine for a device. The WebAssembly build is the same binary in Node and in a page.
 *
 * @throws UserError if there is no GPU, because the engine would silently fall back to the CPU, and in Node if the
 * engine's package was deleted, as a small image does
 */
export async function loadEngine(device: Exclude<Device, 'cpu'>): Promise<WebEngine> {
  if (device === 'wasm') return import('#wasm-engine').catch(explain);
  await findGpu();
  return import('onnxruntime-web/webgpu').catch(explain);
}

function explain(error: Error & { code?: string }): never {
  throw error.code === 'ERR_MODULE_NOT_FOUND' ? notInstalled('onnxruntime-web') : error;
}

async function findGpu(): Promise<void> {
  const gpu = 'gpu' in navigator ? navigator.gpu : undefined;
  if (await gpu?.requestAdapter()) return;
  throw new UserError({
    where: 'device',
    fault: gpu
      ? 'needs a GPU, and WebGPU found none'
      : 'needs WebGPU: this browser lacks it, or the page is not served by https',
    hint: 'Use the device wasm.',
  });
}

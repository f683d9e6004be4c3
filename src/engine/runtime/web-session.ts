import { UserError } from '../../support/user-error.ts';
import {
  type Device,
  DISABLED_OPTIMIZERS,
  notInstalled,
  type Session,
  type SessionOptions,
  wrapSession,
} from './session.ts';

/** A file with external weights of the graph. */
interface WeightFile {
  /** Its name in the graph. */
  path: string;
  /** Its content, or a URL to fetch it from. */
  data: Uint8Array | string;
}

export interface WebSessionOptions extends SessionOptions {
  device: 'wasm' | 'webgpu';
  weightFiles?: readonly WeightFile[];
  /** The URL of the folder with the engine's files. By default, the files are beside the engine's code. */
  engineUrl?: string;
}

/**
 * Loads a model in a browser, or on WebAssembly in Node. The weight files are in memory while the session is created.
 * Several threads need a cross-origin isolated page. The first session sets the number of threads for all sessions.
 *
 * @throws UserError if WebGPU finds no GPU, or the engine does not find its own files
 */
export async function createSession(model: Uint8Array, options: WebSessionOptions): Promise<Session> {
  const { device, threads, weightFiles, engineUrl } = options;
  const engine = await loadEngine(device);
  const { InferenceSession, Tensor } = engine;
  configure(engine, { threads, engineUrl });
  const session = await InferenceSession.create(model, {
    executionProviders: device === 'webgpu' ? ['webgpu', 'wasm'] : ['wasm'],
    enableMemPattern: false,
    graphOptimizationLevel: 'all',
    // Only fatal errors are logged. All other errors are thrown, so logging them would print them twice.
    logSeverityLevel: 4,
    ...(weightFiles && { externalData: weightFiles }),
    extra: {
      session: { disable_prepacking: '1' },
      optimization: { disable_specified_optimizers: DISABLED_OPTIMIZERS },
    },
  }).catch(explain);
  return wrapSession(session, Tensor, { fillsOutputs: false });
}

/**
 * Sets the number of threads and the place of the engine's files. The engine has one WebAssembly module per page and
 * reads these settings from a global, so sessions cannot have their own.
 */
function configure(
  { env }: WebEngine,
  { threads, engineUrl }: Pick<WebSessionOptions, 'threads' | 'engineUrl'>,
): void {
  if (threads) env.wasm.numThreads = threads;
  if (engineUrl !== undefined) env.wasm.wasmPaths = engineUrl;
}

function explain(error: Error): never {
  const reason = error.message.match(/^no available backend found\. ERR: (.*)/)?.[1];
  if (reason === undefined) throw error;
  throw new UserError({
    where: 'engine',
    fault: `did not start: ${reason}`,
    hint: 'Serve ort-wasm-*.wasm and ort-wasm-*.mjs from dist of onnxruntime-web beside your code, or at engineUrl.',
  });
}

/** One of the engine's builds for the web. */
type WebEngine = typeof import('onnxruntime-web');

/**
 * Loads the smallest build of the engine for a device. The WebAssembly build is the same binary in Node and in a page.
 *
 * @throws UserError if there is no GPU, because the engine would silently fall back to the CPU, and in Node if the
 * engine's package was deleted, as a small image does
 */
async function loadEngine(device: Exclude<Device, 'cpu'>): Promise<WebEngine> {
  if (device === 'wasm') return import('#wasm-engine').catch(explainMissing);
  await findGpu();
  return import('onnxruntime-web/webgpu').catch(explainMissing);
}

function explainMissing(error: Error & { code?: string }): never {
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
    code: 'unsupported',
  });
}

import { env } from 'onnxruntime-common';
import { UserError } from '../../../support/user-error.ts';
import {
  askedThreads,
  DISABLED_OPTIMIZERS,
  explainMemory,
  notInstalled,
  type Session,
  type SessionOptions,
  wrapSession,
} from '../session.ts';
import { disableTelemetry } from './disable-telemetry.ts';

const ENGINE = 'onnxruntime-node';

/**
 * Loads the engine's binding for Node. It is an optional dependency: its install script downloads CUDA libraries, which
 * are not used here. If that fails, a package manager may skip the package.
 *
 * @param load replaces the import in tests
 * @throws UserError if it is not installed, or does not support this system
 */
export async function loadEngine(
  load = () => import('onnxruntime-node'),
): Promise<typeof import('onnxruntime-node')> {
  disableTelemetry();
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    if (!isMissing && !code?.startsWith('ERR_DLOPEN')) throw error;
    if (isMissing && message.includes(`'${ENGINE}'`)) throw notInstalled(ENGINE, ' --ignore-scripts');
    throw new UserError({
      where: ENGINE,
      fault: `has no binary for ${process.platform}/${process.arch}: ${message.split('\n')[0]!.replace(/\.$/, '')}`,
      hint: 'The device wasm works without it, but is slower.',
      code: 'unsupported',
    });
  }
}

interface NodeSessionOptions extends SessionOptions {
  device: 'cpu' | 'webgpu';
  /** The folder with the files of the graph's external weights. */
  weightFolder?: string;
  /**
   * Whether kernels may copy weights into their own layout, once per product. A weight that only such products read
   * does not stay mapped.
   */
  prepack?: boolean;
  /** Prefix of a file for the engine's profile, which is written when the session is released. */
  profilePrefix?: string;
}

/**
 * Loads a model in Node. Weights are mapped from `weightFolder`. Prepacking is off by default, so that sessions share
 * the mapping. The memory planner is off, because it nearly doubles the peak and saves no time.
 *
 * @throws UserError if the engine is not installed, or WebGPU finds no GPU
 */
export async function createSession(model: Uint8Array, options: NodeSessionOptions): Promise<Session> {
  const {
    device,
    weightFolder,
    threads = askedThreads(process.env),
    prepack = false,
    profilePrefix,
  } = options;
  const { InferenceSession, Tensor } = await loadEngine();
  const settings: Record<string, string> = { disable_prepacking: prepack ? '0' : '1' };
  if (weightFolder) settings.model_external_initializers_file_folder_path = weightFolder;
  const session = await InferenceSession.create(model, {
    executionProviders: device === 'webgpu' ? ['webgpu', 'cpu'] : ['cpu'],
    enableMemPattern: false,
    // The next level lays out convolutions. It changes nothing here, and takes a fifth of the time.
    graphOptimizationLevel: 'extended',
    // Only fatal errors are logged. All other errors are thrown, so logging them would print them twice.
    logSeverityLevel: 4,
    ...(threads && { intraOpNumThreads: threads }),
    ...(profilePrefix && { enableProfiling: true, profileFilePrefix: profilePrefix }),
    extra: { session: settings, optimization: { disable_specified_optimizers: DISABLED_OPTIMIZERS } },
  }).catch(explain);
  return wrapSession(session, Tensor, {
    fillsOutputs: true,
    onRelease: profilePrefix === undefined ? undefined : () => session.endProfiling(),
  });
}

function explain(error: Error): never {
  const reason = error.message.match(/Failed to get a WebGPU adapter: (.*)/)?.[1];
  if (reason === undefined) return explainMemory(error);
  throw new UserError({
    where: 'device',
    fault: `needs a GPU, and WebGPU found none (${reason})`,
    hint: 'Use the device cpu, or install a Vulkan driver.',
    code: 'unsupported',
  });
}

/** The version of ONNX Runtime. Its packages for Node and for pages have the same one. */
export function engineVersion(): string {
  return env.versions.common;
}

import { UserError } from '../../support/user-error.ts';
import { DISABLED_OPTIMIZERS } from '../disabled-optimizers.ts';
import { explainMemory, wrapSession } from '../run-session.ts';
import type { Session, SessionOptions } from '../session.ts';
import { askedThreads } from './asked-threads.ts';
import { loadEngine } from './load-engine.ts';

export interface NodeSessionOptions extends SessionOptions {
  device: 'cpu' | 'webgpu';
  /** The folder of the files that the graph's external weights name. */
  weightFolder?: string;
  /**
   * Whether kernels may keep weights in their own layout, which copies each weight once per product. If only such
   * products read a weight, its mapping is released.
   */
  prepack?: boolean;
  /** Writes the engine's profile to a file with this prefix when the session is released. */
  profilePrefix?: string;
}

/**
 * Loads a model in Node. Weights are mapped from `weightFolder`. Prepacking is off by default, so that sessions share
 * the mapping. The memory planner is off because it nearly doubles the peak and saves no time.
 *
 * @throws UserError if the engine is not installed, or WebGPU finds no GPU
 */
export async function createSession(model: Uint8Array, options: NodeSessionOptions): Promise<Session> {
  const { device, weightFolder, threads = askedThreads(), prepack = false, profilePrefix } = options;
  const { InferenceSession, Tensor } = await loadEngine();
  const settings: Record<string, string> = { disable_prepacking: prepack ? '0' : '1' };
  if (weightFolder) settings.model_external_initializers_file_folder_path = weightFolder;
  const session = await InferenceSession.create(model, {
    executionProviders: device === 'webgpu' ? ['webgpu', 'cpu'] : ['cpu'],
    enableMemPattern: false,
    graphOptimizationLevel: 'all',
    // Fatal only: every error is thrown, so it need not be printed as well.
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
  });
}

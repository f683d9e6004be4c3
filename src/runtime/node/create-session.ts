import { InferenceSession, Tensor } from 'onnxruntime-node';
import { wrapSession } from '../run-session.ts';
import type { Session, SessionOptions } from '../session.ts';

/**
 * Loads a model in Node. Weights are mapped from `weightFolder`; prepacking is off so that they stay a mapping which
 * sessions share, and the memory planner is off because it nearly doubles the peak at no gain in speed.
 */
export async function createSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const { device, weightFolder, threads, profilePrefix } = options;
  const settings: Record<string, string> = { disable_prepacking: '1' };
  if (weightFolder) settings.model_external_initializers_file_folder_path = weightFolder;
  const session = await InferenceSession.create(model, {
    executionProviders: device === 'webgpu' ? ['webgpu', 'cpu'] : ['cpu'],
    enableMemPattern: false,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads && { intraOpNumThreads: threads }),
    ...(profilePrefix && { enableProfiling: true, profileFilePrefix: profilePrefix }),
    extra: { session: settings },
  });
  return wrapSession(session, Tensor, profilePrefix === undefined ? undefined : () => session.endProfiling());
}

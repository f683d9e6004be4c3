import { UserError } from '../../support/user-error.ts';
import { notInstalled } from '../not-installed.ts';
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
    if (!isMissing && code !== 'ERR_DLOPEN_FAILED') throw error;
    if (isMissing && message.includes(`'${ENGINE}'`)) throw notInstalled(ENGINE, ' --ignore-scripts');
    throw new UserError({
      where: ENGINE,
      fault: `has no binary for ${process.platform}/${process.arch}: ${message.split('\n')[0]}`,
      hint: 'The device wasm works without it, but is slower.',
    });
  }
}

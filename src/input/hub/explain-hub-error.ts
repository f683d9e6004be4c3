import { UserError } from '../../support/user-error.ts';
import type { ModelId } from './model-id.ts';

/** Codes of disk errors that the user can fix. */
const DISK_ERRORS = ['ENOSPC', 'EACCES', 'EPERM', 'EROFS', 'EDQUOT'];

/**
 * Explains a failed download to the user. Returns errors unchanged if they do not come from the network, the
 * Hub or the disk.
 */
export function explainHubError(
  error: unknown,
  id: ModelId,
  endpoint: string,
  cacheDir: string,
  what: 'model' | 'dataset' = 'model',
): unknown {
  const where = `${id.name}@${id.revision}`;
  // If a stream is aborted, the client throws the error's message as a string.
  if (typeof error === 'string') return unreachable(error, where, endpoint);
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const { statusCode, code, name, message, cause } = error as Error & { statusCode?: number; code?: string };
  if (typeof statusCode === 'number') return refusal(statusCode, where, endpoint, what);
  if (code && DISK_ERRORS.includes(code)) {
    const hint = 'Set HF_HUB_CACHE to a writable folder with free space.';
    return new UserError({
      where,
      fault: `cannot be saved to ${cacheDir} (${code})`,
      hint,
      code: 'file_system',
    });
  }
  if (isNetworkError(error)) {
    const { code: reason } = (cause ?? {}) as { code?: string };
    return unreachable(reason ? `${message} (${reason})` : message, where, endpoint);
  }
  // The client throws these errors if the response does not come from a Hub.
  if (name === 'SyntaxError' || error.constructor.name === 'InvalidApiResponseFormatError') {
    const hint = 'Check HF_ENDPOINT, and whether a proxy answers instead.';
    return new UserError({
      where,
      fault: `cannot be downloaded from ${endpoint} (${message})`,
      hint,
      code: 'network',
    });
  }
  return error;
}

function unreachable(got: string, where: string, endpoint: string): UserError {
  const hint = 'Check the network, or use a local folder. HF_ENDPOINT sets another server.';
  return new UserError({
    where,
    fault: `could not be fetched from ${endpoint}: ${got}`,
    hint,
    code: 'network',
  });
}

function refusal(status: number, where: string, endpoint: string, what: string): UserError {
  if (status === 401 || status === 404) {
    return new UserError({
      where,
      fault: `is neither a folder nor a ${what} on ${endpoint} (status ${status})`,
      hint: `Check the spelling. A private ${what} needs HF_TOKEN.`,
      code: 'not_found',
    });
  }
  if (status === 403) {
    const hint = `Accept its terms at ${endpoint}/${what === 'model' ? '' : 'datasets/'}${where.split('@')[0]} and set HF_TOKEN.`;
    return new UserError({
      where,
      fault: 'is not accessible with your account (status 403)',
      hint,
      code: 'access_denied',
    });
  }
  const hint = status === 429 ? 'Wait, or set HF_TOKEN.' : 'Try again later.';
  return new UserError({
    where,
    fault: `could not be fetched from ${endpoint} (status ${status})`,
    hint,
    code: 'network',
  });
}

/** Whether `fetch` failed, before or during the response. */
function isNetworkError(error: Error): boolean {
  return error instanceof TypeError && /^(fetch failed|terminated|Failed to parse URL)/.test(error.message);
}

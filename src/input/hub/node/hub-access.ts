import { UserError } from '../../../support/user-error.ts';
import type { DownloadProgress } from '../../formats/download-progress.ts';
import { hubCacheFolder } from './cache.ts';

export interface ResolveOptions {
  /** Default: the cache shared with Python (HF_HUB_CACHE, HF_HOME). */
  cacheDir?: string;
  /** Whether to avoid the network. Default: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE. */
  offline?: boolean;
  /** Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string;
  /** Branch, tag or commit, if the id does not name one (`owner/name@revision`). Default: main. */
  revision?: string;
  onProgress?: (progress: DownloadProgress) => void;
  /** Whether the caller needs the model's pooling. If so, missing pooling files are downloaded. */
  pools?: boolean;
  /** Default: HF_TOKEN. */
  token?: string;
}

/** How to reach the Hub: options override the environment variables of Python's huggingface_hub. */
export function hubAccess(options: ResolveOptions) {
  const { HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE, HF_ENDPOINT, HF_TOKEN } = process.env;
  const endpoint = options.endpoint ?? (HF_ENDPOINT || 'https://huggingface.co');
  return {
    cacheDir: options.cacheDir ?? hubCacheFolder(),
    offline: options.offline ?? isSet(HF_HUB_OFFLINE || TRANSFORMERS_OFFLINE),
    endpoint: endpoint.replace(/\/+$/, ''),
    get token() {
      return checkToken(options.token ?? HF_TOKEN);
    },
  };
}

/** Parses a boolean environment variable like Python's huggingface_hub. */
function isSet(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}

function checkToken(token: string | undefined): string | undefined {
  const trimmed = token?.trim();
  if (!trimmed) return undefined;
  if (trimmed.startsWith('hf_')) return trimmed;
  throw new UserError({ where: 'HF_TOKEN', fault: 'is not an access token: those begin with hf_' });
}

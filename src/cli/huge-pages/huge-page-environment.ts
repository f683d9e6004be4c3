import { readFileSync } from 'node:fs';

const TUNABLE = 'glibc.malloc.hugetlb';

/** Linux's setting for huge pages, such as `always [madvise] never`. */
const SETTING = '/sys/kernel/mm/transparent_hugepage/enabled';

/**
 * The environment in which the C library requests huge pages from Linux. A step reads hundreds of megabytes
 * of activations. With pages of 4 KB, much of its time is spent on address translation.
 *
 * @param setting the kernel's setting; undefined if it does not exist
 * @returns undefined if it would have no effect, or the user has set `GLIBC_TUNABLES`
 */
export function hugePageEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  setting: string | undefined = readSetting(),
): NodeJS.ProcessEnv | undefined {
  const { GLIBC_TUNABLES: tunables } = environment;
  // `always` needs no request, and `never` ignores requests.
  if (!setting?.includes('[madvise]') || tunables?.includes(TUNABLE)) return undefined;
  return { ...environment, GLIBC_TUNABLES: [tunables, `${TUNABLE}=1`].filter(Boolean).join(':') };
}

function readSetting(): string | undefined {
  try {
    return readFileSync(SETTING, 'utf8');
  } catch {
    return undefined;
  }
}

import { readFileSync } from 'node:fs';

const TUNABLE = 'glibc.malloc.hugetlb';

/** Linux's setting for huge pages: `always [madvise] never`. */
const SETTING = '/sys/kernel/mm/transparent_hugepage/enabled';

/**
 * The environment in which the C library asks Linux for huge pages. Each pass walks through hundreds of megabytes
 * of activations. With pages of 4 KB, the processor spends a good part of a step on address translation.
 *
 * @param setting the kernel's setting, undefined if there is none
 * @returns undefined if it would have no effect, or the user has set `GLIBC_TUNABLES`
 */
export function hugePageEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  setting: string | undefined = readSetting(),
): NodeJS.ProcessEnv | undefined {
  const { GLIBC_TUNABLES: tunables } = environment;
  // `always` needs no request, `never` ignores it.
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

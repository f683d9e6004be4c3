import { readFileSync } from 'node:fs';

const TUNABLE = 'glibc.malloc.hugetlb';

/** Where Linux says for whom huge pages are: `always [madvise] never`. */
const SETTING = '/sys/kernel/mm/transparent_hugepage/enabled';

/**
 * The environment in which the C library asks Linux for huge pages. Activations are hundreds of megabytes that every
 * pass walks through; in pages of 4 KB the processor loses a good part of a step to looking up where they lie.
 *
 * @param setting the kernel's, undefined where there is none
 * @returns undefined where that would change nothing, or where the user has said something else (`GLIBC_TUNABLES`)
 */
export function hugePageEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  setting: string | undefined = readSetting(),
): NodeJS.ProcessEnv | undefined {
  const { GLIBC_TUNABLES: tunables } = environment;
  // `always` needs no asking, `never` does not listen.
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

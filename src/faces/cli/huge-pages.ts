import { readFileSync, statSync } from 'node:fs';

/** Texts of this size are predicted in about the time in which Node starts again. */
const FEW_BYTES = 2 ** 16;

/** Whether a prediction takes so long that huge pages save more time than a restart of Node takes. */
export function isLongPrediction(words: readonly string[]): boolean {
  const sizes = words.flatMap(fileSize);
  if (sizes.length === 0 && isOneText(words)) return false;
  return sizes.length !== 1 || sizes[0]! > FEW_BYTES;
}

/** Whether the words are a run and a text, without flags. */
function isOneText(words: readonly string[]): boolean {
  return words.length === 2 && !words.some((word) => word.startsWith('-'));
}

/** The size of a file. Nothing if a word is not the path of a file that can be read. */
function fileSize(word: string): number[] {
  try {
    const file = statSync(word);
    return file.isFile() ? [file.size] : [];
  } catch {
    return [];
  }
}

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

/** fcntl's command to set the flags of a descriptor. */
const F_SETFD = 2;
const STANDARD_STREAMS = [0, 1, 2];

/**
 * Restarts this program in the same process with another environment (`execve`). The process id, terminal and
 * parent stay the same, so signals and exit codes still work. Node has `execve` only from version 22.15 on,
 * so the C library is called directly. If that is impossible, nothing happens.
 */
export async function replaceProcess(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    const execve = libc.func('int execve(const char *path, const char **argv, const char **envp)');
    const fcntl = libc.func('int fcntl(int fd, int command, int argument)');
    const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    // Node marks these descriptors as close-on-exec. MPICH's launcher talks to its processes through PMI_FD.
    for (const stream of [...STANDARD_STREAMS, Number(environment.PMI_FD ?? 0)]) fcntl(stream, F_SETFD, 0);
    execve(process.execPath, [...words, null], [...variables, null]);
  } catch {
    // Without a suitable C library, the program continues unchanged.
  }
}

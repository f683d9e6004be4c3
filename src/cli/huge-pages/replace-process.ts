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

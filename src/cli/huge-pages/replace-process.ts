/** fcntl's command that sets a descriptor's flags. */
const F_SETFD = 2;
const STANDARD_STREAMS = [0, 1, 2];

/**
 * Restarts this program with another environment in the same process (`execve`). Its process id, terminal and
 * parent stay, so signals and exit codes reach the right process. Node has `execve` only from version 22.15 on, so
 * the C library is called directly. If that is impossible, returns without any effect.
 */
export async function replaceProcess(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    const execve = libc.func('int execve(const char *path, const char **argv, const char **envp)');
    const fcntl = libc.func('int fcntl(int fd, int command, int argument)');
    const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    // Node marks these as close-on-exec too. MPICH's launcher communicates with its processes through PMI_FD.
    for (const stream of [...STANDARD_STREAMS, Number(environment.PMI_FD ?? 0)]) fcntl(stream, F_SETFD, 0);
    execve(process.execPath, [...words, null], [...variables, null]);
  } catch {
    // No such library on this system: the program continues unchanged.
  }
}

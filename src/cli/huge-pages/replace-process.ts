/** fcntl's command that sets a descriptor's flags. */
const F_SETFD = 2;
const STANDARD_STREAMS = [0, 1, 2];

/**
 * Runs this program anew in another environment, in the same process (`execve`): its number, its terminal and its parent
 * stay, so signals and exit codes reach whom they should. Node has that from version 22.15 only, so the C library is
 * called itself. Returns where this cannot be done, and changes nothing then.
 */
export async function replaceProcess(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load('libc.so.6');
    const execve = libc.func('int execve(const char *path, const char **argv, const char **envp)');
    const fcntl = libc.func('int fcntl(int fd, int command, int argument)');
    const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    // Node marks these, too, as not to be handed on. Through PMI_FD, MPICH's launcher speaks with the processes it starts.
    for (const stream of [...STANDARD_STREAMS, Number(environment.PMI_FD ?? 0)]) fcntl(stream, F_SETFD, 0);
    execve(process.execPath, [...words, null], [...variables, null]);
  } catch {
    // No such library for this system: the program runs as it is.
  }
}

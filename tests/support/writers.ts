import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** How another writer of a folder runs. */
export type Kind = 'thread' | 'process' | 'container' | 'host';

/**
 * Options of `unshare`. A container has other process ids. A host also has another host name, and the folder under
 * another mount.
 */
const UNSHARE = {
  container: ['--pid', '--fork', '--mount-proc', '--kill-child'],
  host: ['--pid', '--fork', '--mount-proc', '--kill-child', '--uts', '--mount'],
};

/** Why such a writer cannot run here. Undefined if it can. */
export function whyNot(kind: Kind): string | undefined {
  if (kind === 'thread' || kind === 'process') return undefined;
  if (process.platform !== 'linux') return 'namespaces are Linux';
  const [program, ...words] = unshared(kind) as [string, ...string[]];
  const { status } = spawnSync(program, [...words, 'true']);
  return status === 0 ? undefined : 'unshare is not permitted here';
}

/** The command that starts a program as such a writer. */
export function launcherOf(kind: Exclude<Kind, 'thread'>): string[] {
  if (kind === 'process') return [];
  if (kind === 'container') return unshared(kind);
  return [...unshared(kind), 'sh', '-c', 'hostname other-host && exec "$@"', 'sh'];
}

function unshared(kind: 'container' | 'host'): string[] {
  const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return ['unshare', ...asUser, ...UNSHARE[kind]];
}

/** A program in another thread, process or namespace. */
export interface Writer {
  /** Returns its next line of output. */
  line(): Promise<string>;
  /** Kills it without a chance to clean up, even if it is a thread. */
  kill(): Promise<void>;
}

/**
 * Starts a program that uses built modules. In it, `built('formats/...')` imports a module, `folder` is the folder to
 * write to, and `print` prints a line.
 */
export function startWriter(kind: Kind, folder: string, program: string): Writer {
  const dist = pathToFileURL(resolve('dist')).href;
  const begin = `const built = (path) => import('${dist}/' + path); ${program}`;
  if (kind === 'thread') return threadOf(folder, begin);
  const node = [process.execPath, '--input-type=module', '-e'];
  const code = (at: string) => `const folder = ${JSON.stringify(at)}; const print = console.log; ${begin}`;
  if (kind !== 'host') return processOf([...launcherOf(kind), ...node, code(folder)]);
  const elsewhere = `${folder}-mounted`;
  const shell = `mkdir "$2"; mount --bind "$1" "$2" && hostname other-host && exec "$3" --input-type=module -e "$4"`;
  const words = ['sh', '-c', shell, 'sh', folder, elsewhere, process.execPath, code(elsewhere)];
  return processOf([...unshared(kind), ...words]);
}

function threadOf(folder: string, program: string): Writer {
  const code = `const { parentPort } = require('node:worker_threads');
    const folder = ${JSON.stringify(folder)}; const print = (text) => parentPort.postMessage(text);
    (async () => { ${program} })()`;
  const worker = new Worker(code, { eval: true });
  return {
    line: async () => (await once(worker, 'message'))[0],
    kill: async () => void (await worker.terminate()),
  };
}

function processOf([program, ...words]: string[]): Writer {
  const child: ChildProcess = spawn(program!, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout!.setEncoding('utf8');
  return {
    line: async () => (await once(child.stdout!, 'data'))[0].trim(),
    async kill() {
      const ended = once(child, 'exit');
      if (child.kill('SIGKILL')) await ended;
    },
  };
}

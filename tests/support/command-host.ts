import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';

const HOST = resolve('tests/support/command-host.mjs');
const BUILT = `${resolve('dist')}/`;
/** A mark that no command prints. */
const MARK = '\0end of a command\0';

/**
 * When a training is killed: before the file operation with this number (from 1), or after this event is written to its
 * log. See mortal-disk.mjs.
 */
export type Death = number | { type: string; step?: number; final?: boolean };

export interface Answer {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Whether its training was killed as `death` says. */
  wasKilled?: boolean;
}

/** The process that runs the commands of all folders of this worker, and its last command. */
let host: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs command lines in a folder, one after another, in a process that other folders share: the first command of a
 * process takes a second more than later ones. Its pipes carry their output, including the engine's. If a command ends
 * the process, its result says how, and the next command gets a new process.
 */
export class CommandHost {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #running = 0;

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /**
   * Runs a command line with `input` as standard input, after earlier commands have ended. `death` kills its training.
   */
  run(words: readonly string[], input: string | Uint8Array = '', death?: Death): Promise<Answer> {
    this.#running++;
    const answer = last.then(() => this.#ask(words, input, death)).finally(() => this.#running--);
    last = answer.catch(() => {});
    return answer;
  }

  /** Ends the folder's last command, if it still runs. */
  close(): void {
    if (this.#running > 0) host?.kill('SIGKILL');
  }

  #ask(words: readonly string[], input: string | Uint8Array, death?: Death): Promise<Answer> {
    if (!host?.connected) host = start();
    const child = host;
    // Only a command that runs keeps this process.
    child.channel!.ref();
    return new Promise((done, fail) => {
      const printed = { stdout: '', stderr: '' };
      let reported: { code: number; wasKilled?: boolean } | undefined;
      const finish = (answer: Omit<Answer, 'stdout' | 'stderr'>) => {
        for (const stream of [child.stdout, child.stderr]) stream!.removeAllListeners('data');
        for (const event of ['message', 'error', 'close']) child.removeAllListeners(event);
        child.channel?.unref();
        const [stdout, stderr] = [printed.stdout, printed.stderr].map((text) => text.replace(MARK, '')) as [
          string,
          string,
        ];
        done({ ...answer, stdout, stderr });
      };
      const finishWhenWhole = () => {
        const isWhole = Object.values(printed).every((text) => text.endsWith(MARK));
        if (reported && isWhole) finish({ ...reported, signal: null });
      };
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream]!.on('data', (text: string) => {
          printed[stream] += text;
          finishWhenWhole();
        });
      }
      child.on('message', (message: { code: number; wasKilled?: boolean }) => {
        reported = message;
        finishWhenWhole();
      });
      child.on('error', fail);
      child.on('close', (exitCode, signal) => finish({ code: exitCode, signal }));
      child.send({
        words,
        input: Buffer.from(input).toString('base64'),
        death,
        folder: this.#folder,
        env: this.#env,
        mark: MARK,
      });
    });
  }
}

function start(): ChildProcess {
  const child = fork(HOST, [BUILT], { execArgv: [], stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
  child.stdin!.end();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket).setEncoding('utf8').unref();
  // It ends with this process, and keeps it no longer than the tests do.
  child.channel!.unref();
  child.unref();
  return child;
}

import { type ChildProcess, fork } from 'node:child_process';
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
}

/**
 * A process that runs one command line after another in a folder. Its pipes carry their output, including the engine's.
 * If a command ends the process, its result says how, and the next command gets a new process.
 */
export class CommandHost {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /**
   * Runs a command line with `input` as standard input, after earlier commands have ended. `death` kills its training.
   */
  run(words: readonly string[], input = '', death?: Death): Promise<Answer> {
    const answer = this.#last.then(() => this.#ask(words, input, death));
    this.#last = answer.catch(() => {});
    return answer;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
  }

  #ask(words: readonly string[], input: string, death?: Death): Promise<Answer> {
    if (!this.#child?.connected) this.#child = this.#start();
    const child = this.#child;
    return new Promise((done, fail) => {
      const printed = { stdout: '', stderr: '' };
      let code: number | undefined;
      const finish = (answer: Pick<Answer, 'code' | 'signal'>) => {
        for (const stream of [child.stdout, child.stderr]) stream!.removeAllListeners('data');
        for (const event of ['message', 'error', 'close']) child.removeAllListeners(event);
        const [stdout, stderr] = [printed.stdout, printed.stderr].map((text) => text.replace(MARK, '')) as [
          string,
          string,
        ];
        done({ ...answer, stdout, stderr });
      };
      const finishWhenWhole = () => {
        const isWhole = Object.values(printed).every((text) => text.endsWith(MARK));
        if (code !== undefined && isWhole) finish({ code, signal: null });
      };
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream]!.on('data', (text: string) => {
          printed[stream] += text;
          finishWhenWhole();
        });
      }
      child.on('message', (message: { code: number }) => {
        code = message.code;
        finishWhenWhole();
      });
      child.on('error', fail);
      child.on('close', (exitCode, signal) => finish({ code: exitCode, signal }));
      child.send({ words, input, death, mark: MARK });
    });
  }

  #start(): ChildProcess {
    const child = fork(HOST, [BUILT], {
      cwd: this.#folder,
      env: this.#env,
      execArgv: [],
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    });
    child.stdin!.end();
    for (const stream of [child.stdout, child.stderr]) stream!.setEncoding('utf8');
    return child;
  }
}

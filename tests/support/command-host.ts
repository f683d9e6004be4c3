import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';

const HOST = resolve('tests/support/command-host.mjs');
const BUILT = `${resolve('dist')}/`;
/** No command prints this. */
const MARK = '\0end of a command\0';

/** When a training is killed: before a file operation, from 1, or with an event of its log written. See mortal-disk.mjs. */
export type Death = number | { type: string; step?: number; final?: boolean };

export interface Answer {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * A process that runs one command line after another in a folder. What they print comes through its pipes, the engine's
 * own words too. A command that ends the process is answered with how it ended; the next one gets another.
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

  /** Runs a command line, to which standard input says `input`, when those before it have ended. Its training may die. */
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
        const [stdout, stderr] = [printed.stdout, printed.stderr].map((text) => text.replace(MARK, ''));
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

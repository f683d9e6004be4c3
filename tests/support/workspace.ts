import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EventOf, TrainEvent } from '../../src/training/run/events.ts';
import { type Answer, CommandHost, type Death } from './command-host.ts';
import { writeTinyData } from './tiny-data.ts';
import { writeTinyModel } from './tiny-model.ts';

const PROGRAM = resolve('dist/cli/main.js');
const HALTING = pathToFileURL('tests/support/halt-at.mjs').href;

const CONFIG = `model: model
defaults: huggingface
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training:
  learning_rate: 2e-2
  num_train_epochs: 5
  per_device_train_batch_size: 16
  logging_steps: 4
adalora: {target_r: 2, init_r: 4, lora_alpha: 16, tinit: 10%, tfinal: 30%, deltaT: 2}
lora: {r: 4}
output: run
`;

/**
 * A setting of runs whose scores no test reads. Baselines, a linear probe and evaluations take half the time of a short
 * run.
 */
export const UNSCORED = 'data.validation=null';

/** How a command ended. */
export type Ended = Answer;

/** The first event of a type in a run's log, at or after a step. */
export interface Moment {
  type: TrainEvent['type'];
  step?: number;
  /** Whether it must be the allocation with the final ranks. */
  final?: boolean;
}

/** A moment at which the training waits until it is asked to stop, or until a file exists. */
export interface Halt extends Moment {
  /** The signal that the run sends itself before it waits. */
  signal?: NodeJS.Signals;
  /** The file to wait for, relative to the folder in which the run starts. */
  until?: string;
}

export interface StartOptions {
  /** The command's standard input. */
  input?: string | Uint8Array;
  /** Whether standard input stays open, as in a terminal. */
  isOpen?: boolean;
  env?: Record<string, string>;
  /** The command's folder. Default: the workspace. */
  cwd?: string;
  /** The launcher, such as mpirun with its arguments. */
  launcher?: readonly string[];
  /** The halts of its training, in the order of its log. */
  halts?: readonly Halt[];
}

/**
 * A folder with a tiny model in `model/`, the files `train.tsv` (160 rows, 10 steps per epoch) and `dev.tsv` (48 rows),
 * and a config `run.yaml` of five epochs that writes to `run/`. The built program runs in it.
 */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #host: CommandHost;

  /** @param env environment variables for every command in it */
  constructor(env: Record<string, string> = {}) {
    const own = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: this.path('cache'), NO_COLOR: '1' };
    this.#env = { ...process.env, ...own, ...env };
    this.#host = new CommandHost(this.folder, this.#env);
    writeTinyModel(this.path('model'));
    writeTinyData(this.path('train.tsv'), 160, 1);
    writeTinyData(this.path('dev.tsv'), 48, 2);
    this.write('run.yaml', CONFIG);
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(this.path(name), content);
  }

  read(...names: string[]): Buffer {
    return readFileSync(this.path(...names));
  }

  delete(...names: string[]): void {
    rmSync(this.path(...names), { recursive: true, force: true });
  }

  /** The events in a run's log. */
  events(run: string): TrainEvent[] {
    return eventsIn(this.read(run, 'metrics.jsonl').toString());
  }

  /** Starts `adalora` with these arguments in a process of its own. This folder's path is removed from the output. */
  start(
    args: readonly string[],
    { input, isOpen, env, cwd = this.folder, launcher = [], halts }: StartOptions = {},
  ): { process: ChildProcess; ended: Promise<Ended> } {
    const [command, ...words] = [...launcher, process.execPath, PROGRAM, ...args] as [string, ...string[]];
    const halting = halts && { NODE_OPTIONS: `--import ${HALTING}`, HALTS: JSON.stringify(halts) };
    const child = spawn(command, words, {
      cwd,
      env: { ...this.#env, ...env, ...halting },
    });
    if (!isOpen) child.stdin.end(input);
    const ended = new Promise<Ended>((done, fail) => {
      const printed = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (text) => {
          printed[stream] += text;
        });
      }
      child.on('error', fail);
      child.on('close', (code, signal) => {
        done(this.#shortened({ code, signal, ...printed }));
      });
    });
    return { process: child, ended };
  }

  /**
   * Runs `adalora` with these arguments to its end. All workspaces' commands share a process, because loading the
   * program takes longer than most of them.
   */
  run(...args: string[]): Promise<Ended> {
    return this.runWith('', ...args);
  }

  /** Like `run`, in a folder of the workspace. */
  async runIn(name: string, ...args: string[]): Promise<Ended> {
    return this.#shortened(await new CommandHost(this.path(name), this.#env).run(args));
  }

  /** Like `run`, with standard input. */
  async runWith(input: string | Uint8Array, ...args: string[]): Promise<Ended> {
    return this.#shortened(await this.#host.run(args, input));
  }

  /**
   * Runs `adalora train` in the shared process until a moment at which it is killed: the disk keeps the state of this
   * moment. tests/resume.test.ts kills processes with SIGKILL, too.
   *
   * @throws Error if the training ends before that moment
   */
  async killAt(death: Death, args: readonly string[]): Promise<void> {
    const ended = await this.#host.run(args, '', death);
    if (!ended.wasKilled) throw new Error(`not killed at ${JSON.stringify(death)}: ${JSON.stringify(ended)}`);
  }

  /**
   * Runs `adalora train` until a moment, and sends it a signal. The training takes no step before the signal arrives.
   */
  interruptAt(moment: Moment, signal: NodeJS.Signals, args: readonly string[]): Promise<Ended> {
    return this.start(args, { halts: [{ ...moment, signal }] }).ended;
  }

  /**
   * Runs `adalora` until `when` accepts its output, and then sends it a signal. The run may be much further when the
   * signal arrives, so use it for runs that do not end by themselves.
   */
  async interrupt(
    args: readonly string[],
    signal: NodeJS.Signals,
    when: (stdout: string) => boolean,
  ): Promise<Ended> {
    const { process: child, ended } = this.start(args);
    let printed = '';
    child.stdout!.on('data', (text) => {
      printed += text;
      if (!child.killed && when(printed)) child.kill(signal);
    });
    return ended;
  }

  /** Runs `adalora train run.yaml` with settings to its end. */
  train(...settings: string[]): Promise<Ended> {
    return this.run('train', 'run.yaml', ...settings.flatMap((setting) => ['--set', setting]));
  }

  remove(): void {
    this.#host.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #shortened({ stdout, stderr, ...how }: Ended): Ended {
    const short = (text: string) => text.replaceAll(`${this.folder}/`, '').replaceAll(this.folder, '.');
    return { ...how, stdout: short(stdout), stderr: short(stderr) };
  }
}

/** The events of a type, in order. */
export function eventsOf<Type extends TrainEvent['type']>(
  events: readonly TrainEvent[],
  type: Type,
): EventOf<Type>[] {
  return events.filter((event): event is EventOf<Type> => event.type === type);
}

/** Parses lines of JSON as events. */
export function eventsIn(lines: string): TrainEvent[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

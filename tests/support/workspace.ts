import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EventOf, TrainEvent } from '../../src/run/events.ts';
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

/** How a run of the program ended. */
export type Ended = Answer;

/** The first event of a type in a run's log, at or after a step. */
export interface Moment {
  type: TrainEvent['type'];
  step?: number;
  /** Whether it is the allocation with the final ranks. */
  final?: boolean;
}

/** A moment at which the training waits until it is asked to stop, or until a file exists. */
export interface Halt extends Moment {
  /** The signal that the run sends itself before it waits. */
  signal?: NodeJS.Signals;
  /** The file, relative to the folder that the run starts in. */
  until?: string;
}

export interface StartOptions {
  /** Its standard input. */
  input?: string | Uint8Array;
  env?: Record<string, string>;
  /** The folder it runs in; default: the workspace. */
  cwd?: string;
  /** The launcher, such as mpirun with its arguments. */
  launcher?: readonly string[];
  /** The halts of its training, in the order of its log. */
  halts?: readonly Halt[];
}

/**
 * A folder with a tiny model in `model/`, the files `train.tsv` (160 rows, 10 steps per epoch) and `dev.tsv` (48),
 * and a config `run.yaml` of five epochs that writes to `run/`. The built program runs in it.
 */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #host: CommandHost;

  /**
   * @param env variables for every run in it
   */
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

  /** Starts `adalora` with these arguments; this folder's path is removed from the output. */
  start(
    args: readonly string[],
    { input, env, cwd = this.folder, launcher = [], halts }: StartOptions = {},
  ): { process: ChildProcess; ended: Promise<Ended> } {
    const [command, ...words] = [...launcher, process.execPath, PROGRAM, ...args];
    const halting = halts && { NODE_OPTIONS: `--import ${HALTING}`, HALTS: JSON.stringify(halts) };
    const child = spawn(command, words, {
      cwd,
      env: { ...this.#env, ...env, ...halting },
    });
    child.stdin.end(input);
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
   * Runs `adalora` with these arguments to its end, in a process shared by the workspace: loading the program takes
   * longer than most commands here.
   */
  run(...args: string[]): Promise<Ended> {
    return this.runWith('', ...args);
  }

  /** The same, with standard input. */
  async runWith(input: string, ...args: string[]): Promise<Ended> {
    return this.#shortened(await this.#host.run(args, input));
  }

  /**
   * Runs `adalora train` in the shared process until a moment, at which SIGKILL ends that process. The next command
   * gets another.
   *
   * @throws Error if the training ends before
   */
  async killAt(death: Death, args: readonly string[]): Promise<void> {
    const ended = await this.#host.run(args, '', death);
    if (ended.signal !== 'SIGKILL')
      throw new Error(`not killed at ${JSON.stringify(death)}: ${JSON.stringify(ended)}`);
  }

  /**
   * Runs `adalora train` until a moment, at which it gets a signal: the training takes no step before the signal
   * arrives.
   */
  interruptAt(moment: Moment, signal: NodeJS.Signals, args: readonly string[]): Promise<Ended> {
    return this.start(args, { halts: [{ ...moment, signal }] }).ended;
  }

  /**
   * Runs `adalora` until `when` accepts its output, and then sends it a signal. The run may be far beyond when the
   * signal arrives: use it for runs that do not end by themselves.
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

  /** `adalora train run.yaml` with settings, to its end. */
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

/** The events of a type, in their order. */
export function eventsOf<Type extends TrainEvent['type']>(
  events: readonly TrainEvent[],
  type: Type,
): EventOf<Type>[] {
  return events.filter((event): event is EventOf<Type> => event.type === type);
}

/** Lines of JSON as events. */
export function eventsIn(lines: string): TrainEvent[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

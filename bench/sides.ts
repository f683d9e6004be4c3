import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { hugePageEnvironment } from '../src/cli/huge-pages/huge-page-environment.ts';
import { Client } from './client.ts';

/** What is measured beside each other. */
export interface Side {
  name: string;
  library: 'adalora' | 'PEFT';
  /** Of ours how the frozen base is kept; of PEFT what is computed in, by autocast over weights in float32. */
  dtype: 'float32' | 'int8' | 'bfloat16';
}

export const SIDES = [
  { name: 'adalora float32', library: 'adalora', dtype: 'float32' },
  { name: 'adalora int8', library: 'adalora', dtype: 'int8' },
  { name: 'PEFT float32', library: 'PEFT', dtype: 'float32' },
  { name: 'PEFT bf16', library: 'PEFT', dtype: 'bfloat16' },
] as const satisfies Side[];

export type SideName = (typeof SIDES)[number]['name'];

/** The programs of each kind of row, which answer the same requests. */
const SERVERS = {
  step: { adalora: 'step-server.js', PEFT: 'peft_step.py' },
  data: { adalora: 'data/data-server.js', PEFT: 'peft_data.py' },
  predict: { adalora: 'data/predict-server.js', PEFT: 'peft_predict.py' },
};

export type ServerKind = keyof typeof SERVERS;

/** Our side runs compiled, as users run it: a loader that compiles on the way takes memory of its own. */
const BUILD = 'runs/bench-build';

/** Starts the processes of the sides that this machine has. */
export class Launcher {
  readonly sides: readonly (typeof SIDES)[number][];
  readonly #python: string | undefined;
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param python one that has torch, transformers and peft; without it our sides run alone
   * @param cacheFolder where bases of integers are kept
   */
  constructor(python: string | undefined, cacheFolder: string) {
    execFileSync('npx', ['tsc', '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
    this.sides = SIDES.filter(({ library }) => python || library === 'adalora');
    this.#python = python;
    this.#env = {
      ...process.env,
      ADALORA_CACHE: cacheFolder,
      HF_HUB_OFFLINE: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONWARNINGS: 'ignore',
    };
  }

  start({ library }: Side, kind: ServerKind): Client {
    const server = SERVERS[kind][library];
    return library === 'PEFT'
      ? new Client(String(this.#python), [join(import.meta.dirname, 'python', server)], this.#env)
      : // As the command starts itself. PEFT is left as it starts: with huge pages its steps take longer.
        new Client('node', [join(BUILD, 'bench', server)], hugePageEnvironment(this.#env) ?? this.#env);
  }

  /**
   * Rounds a model's weights to int8 in a process of its own and leaves them in the cache, where users have them from the
   * second run on: what is measured finds them there, and its peak is not that of the rounding.
   */
  makeBase(modelFolder: string): void {
    execFileSync('node', [join(BUILD, 'bench', 'make-base.js'), modelFolder], { env: this.#env });
  }
}

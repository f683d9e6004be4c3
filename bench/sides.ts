import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { hugePageEnvironment } from '../src/faces/cli/huge-pages.ts';
import type { BenchHeadKind } from './bench-head.ts';
import { Client } from './client.ts';

/** A side of a comparison. */
export interface Side {
  name: string;
  library: 'adalora' | 'adalora serve' | 'PEFT' | 'llama.cpp';
  /** Whether it takes no part in training. */
  generatesOnly?: true;
  /**
   * On our sides, the type of the frozen base. On PEFT's sides, the type of autocast with float32 weights.
   * When a decoder generates in PEFT or llama.cpp, its weights have this type.
   */
  dtype: 'float32' | 'int8' | 'int4' | 'bfloat16' | 'F32' | 'Q8_0' | 'Q4_0';
}

export const SIDES = [
  { name: 'adalora float32', library: 'adalora', dtype: 'float32' },
  { name: 'adalora int8', library: 'adalora', dtype: 'int8' },
  { name: 'PEFT float32', library: 'PEFT', dtype: 'float32' },
  { name: 'PEFT bf16', library: 'PEFT', dtype: 'bfloat16' },
] as const satisfies Side[];

export type SideName = (typeof SIDES)[number]['name'];

/** Sides for decoders, which may also have a base of 4 bits. The server has an adapter for each text. */
const DECODER_SIDES: readonly Side[] = [
  SIDES[0],
  SIDES[1],
  { name: 'adalora int4', library: 'adalora', dtype: 'int4' },
  { name: 'adalora serve int8', library: 'adalora serve', generatesOnly: true, dtype: 'int8' },
  { name: 'adalora serve int4', library: 'adalora serve', generatesOnly: true, dtype: 'int4' },
  SIDES[2],
  SIDES[3],
  { name: 'llama.cpp F32', library: 'llama.cpp', generatesOnly: true, dtype: 'F32' },
  { name: 'llama.cpp Q8_0', library: 'llama.cpp', generatesOnly: true, dtype: 'Q8_0' },
  { name: 'llama.cpp Q4_0', library: 'llama.cpp', generatesOnly: true, dtype: 'Q4_0' },
];

/** For each kind of measurement, the program of each library. They answer the same requests. */
const SERVERS = {
  step: { adalora: 'step-server.js', PEFT: 'peft_step.py' },
  data: { adalora: 'data/data-server.js', PEFT: 'peft_data.py' },
  predict: { adalora: 'data/predict-server.js', PEFT: 'peft_predict.py' },
  decoder: {
    adalora: 'decoder/decoder-server.js',
    'adalora serve': 'decoder/served-decoder.js',
    PEFT: 'peft_decoder.py',
    'llama.cpp': 'llama_decoder.py',
  },
} satisfies Record<string, Partial<Record<Side['library'], string>>>;

export type ServerKind = keyof typeof SERVERS;

/** Our side is compiled first, as users run it. Compiling on the fly would take memory. */
const BUILD = 'runs/bench-build';

/** Starts the processes of the available sides. */
export class Launcher {
  readonly sides: readonly (typeof SIDES)[number][];
  readonly decoderSides: readonly Side[];
  readonly #python: string | undefined;
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param python a Python with torch, transformers and peft; without it, only our sides run
   * @param cacheFolder folder for integer bases
   * @param only parts of the names of the sides that train, separated by commas
   */
  constructor(python: string | undefined, cacheFolder: string, only = '') {
    const compiler = join('node_modules', 'typescript-7', 'bin', 'tsc');
    execFileSync('node', [compiler, '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
    this.sides = SIDES.filter(
      ({ name, library }) =>
        only.split(',').some((part) => name.includes(part)) && (python || library === 'adalora'),
    );
    const installed = {
      adalora: true,
      'adalora serve': true,
      PEFT: Boolean(python),
      'llama.cpp': hasLlama(python),
    };
    this.decoderSides = DECODER_SIDES.filter(({ library }) => installed[library]);
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
    const servers: Partial<Record<Side['library'], string>> = SERVERS[kind];
    const server = servers[library];
    if (!server) throw new Error(`${library} has no server for ${kind}`);
    return server.endsWith('.py')
      ? new Client(String(this.#python), [join(import.meta.dirname, 'python', server)], this.#env)
      : // `adalora` sets the same for itself. PEFT's environment is unchanged, because its steps take longer with huge pages.
        new Client('node', [join(BUILD, 'bench', server)], hugePageEnvironment(this.#env) ?? this.#env);
  }

  /**
   * Quantizes a model's weights into the cache, in a separate process. The measured process then finds them
   * there, as in a user's second run, and its peak memory excludes the quantization.
   */
  makeBase(modelFolder: string, dtype: 'int8' | 'int4' = 'int8', head?: BenchHeadKind): void {
    const words = [modelFolder, dtype, ...(head ? [head] : [])];
    execFileSync('node', [join(BUILD, 'bench', 'make-base.js'), ...words], { env: this.#env });
  }
}

/** Whether a Python can convert checkpoints for llama.cpp and run them. */
function hasLlama(python: string | undefined): boolean {
  if (!python) return false;
  return spawnSync(python, ['-c', 'import gguf, llama_cpp']).status === 0;
}

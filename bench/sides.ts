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
  /** Type of the frozen weights of PEFT's side, whose adapter and head stay in float32. Default: float32. */
  weights?: 'bfloat16' | 'int8' | 'nf4';
  /** Whether PEFT's side goes through `torch.compile`. */
  compile?: true;
  /** Whether the C library requests huge pages. Default: on our sides, as `adalora` does for itself. */
  hugePages?: boolean;
}

export const SIDES = [
  { name: 'adalora float32', library: 'adalora', dtype: 'float32' },
  { name: 'adalora int8', library: 'adalora', dtype: 'int8' },
  { name: 'PEFT float32', library: 'PEFT', dtype: 'float32' },
  { name: 'PEFT bf16', library: 'PEFT', dtype: 'bfloat16' },
] as const satisfies Side[];

/** More sides for training steps: other settings of PyTorch, and both libraries with the other one's pages. */
export const BASELINES = [
  { name: 'adalora small pages', library: 'adalora', dtype: 'float32', hugePages: false },
  { name: 'PEFT huge pages', library: 'PEFT', dtype: 'float32', hugePages: true },
  { name: 'PEFT compiled float32', library: 'PEFT', dtype: 'float32', compile: true },
  { name: 'PEFT compiled bf16', library: 'PEFT', dtype: 'bfloat16', compile: true },
  { name: 'PEFT bf16 weights', library: 'PEFT', dtype: 'bfloat16', weights: 'bfloat16' },
  {
    name: 'PEFT compiled bf16 weights',
    library: 'PEFT',
    dtype: 'bfloat16',
    weights: 'bfloat16',
    compile: true,
  },
  { name: 'PEFT bitsandbytes int8', library: 'PEFT', dtype: 'float32', weights: 'int8' },
  { name: 'PEFT bitsandbytes nf4', library: 'PEFT', dtype: 'float32', weights: 'nf4' },
] as const satisfies Side[];

export type SideName = (typeof SIDES | typeof BASELINES)[number]['name'];
type TrainingSide = Side & { name: SideName };

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
  readonly sides: readonly TrainingSide[];
  readonly decoderSides: readonly Side[];
  readonly #python: string | undefined;
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param python a Python with torch, transformers and peft; without it, only our sides run
   * @param cacheFolder folder for integer bases
   * @param only parts of the names of the sides that train, separated by commas
   * @param training all sides that train
   */
  constructor(
    python: string | undefined,
    cacheFolder: string,
    only = '',
    training: readonly TrainingSide[] = SIDES,
  ) {
    const compiler = join('node_modules', 'typescript-7', 'bin', 'tsc');
    execFileSync('node', [compiler, '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
    const quantizes = training.some(readsBitsAndBytes) && canImport(python, 'bitsandbytes');
    this.sides = training.filter(
      (side) =>
        only.split(',').some((part) => side.name.includes(part)) &&
        (python || side.library === 'adalora') &&
        (quantizes || !readsBitsAndBytes(side)),
    );
    const installed = {
      adalora: true,
      'adalora serve': true,
      PEFT: Boolean(python),
      // gguf converts checkpoints.
      'llama.cpp': canImport(python, 'gguf, llama_cpp'),
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

  start(side: Side, kind: ServerKind): Client {
    const { library } = side;
    const servers: Partial<Record<Side['library'], string>> = SERVERS[kind];
    const server = servers[library];
    if (!server) throw new Error(`${library} has no server for ${kind}`);
    const isPython = server.endsWith('.py');
    // PEFT's environment is unchanged unless asked, because its steps take longer with huge pages.
    const { hugePages = !isPython } = side;
    const env = (hugePages && hugePageEnvironment(this.#env)) || this.#env;
    if (!isPython) return new Client('node', [join(BUILD, 'bench', server)], env);
    const words = readsBitsAndBytes(side) ? ['bitsandbytes'] : [];
    return new Client(String(this.#python), [join(import.meta.dirname, 'python', server), ...words], env);
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

/** Whether bitsandbytes stores the weights of a side. */
function readsBitsAndBytes({ weights }: Side): boolean {
  return weights === 'int8' || weights === 'nf4';
}

/** Whether a Python has modules, listed with commas. */
export function canImport(python: string | undefined, modules: string): boolean {
  if (!python) return false;
  return spawnSync(python, ['-c', `import ${modules}`]).status === 0;
}

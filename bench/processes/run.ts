import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hugePageEnvironment } from '../../src/faces/cli/huge-pages.ts';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { Client } from '../client.ts';
import { median } from '../median.ts';
import { writeRandomCheckpoint } from '../random-checkpoint.ts';
import { benchCases } from '../shapes.ts';

/*
 * npm run bench:processes -- [--rounds 5] [--steps 10] [--processes 2] [--dropout 0.1] [--only text] [--dtype
 * int8] [--json FILE]
 *
 * Measures training steps on the same batch: in one process with several threads, and in as many processes
 * with one thread each, through Open MPI. In float32, PEFT is also measured, in as many processes of torchrun
 * with gloo. This needs BENCH_PYTHON, a Python with torch, transformers and peft.
 *
 * Only one side runs at a time, for a block of steps, because a process that waits for MPI keeps its core
 * busy. Each round begins with another side.
 *
 * Waiting is the time until the slowest process has its gradient. The all-reduce follows, and has its own
 * column. Memory is that of all processes of a side; shared memory counts once (PSS).
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Number of steps per block, after two warm-up steps. */
    steps: { type: 'string', default: '10' },
    processes: { type: 'string', default: '2' },
    /** Dropout affects the time, because masks of a part of a batch are copied. */
    dropout: { type: 'string', default: '0.1' },
    only: { type: 'string', default: '' },
    dtype: { type: 'string', multiple: true, default: ['float32', 'int8'] },
    json: { type: 'string', default: 'runs/bench-processes.json' },
  },
});
const BUILD = 'runs/bench-build';
const WARM_UP = 2;
const SIZES = ['BERT-base x 6, 16 x 128', 'MiniLM, 32 x 64'];

/** Medians over a block of steps. */
interface Block {
  ms: number;
  /** Means over the processes. */
  waitingMs: number;
  transferMs: number;
  memoryMb: number;
}

interface Reply {
  ms: number;
  processes: { waiting: number; transfer: number }[];
}

const python = process.env.BENCH_PYTHON;
const count = Number(options.processes);
const scratch = mkdtempSync(join(tmpdir(), 'adalora-bench-'));
const environment = { ...process.env, ADALORA_CACHE: join(scratch, 'cache'), UCX_MEM_EVENTS: 'n' };
const env = hugePageEnvironment(environment) ?? environment;
const server = ['node', join(BUILD, 'bench', 'step-server.js')];
const mpirun = ['mpirun', '--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n', `${count}`];
const torchrun = ['-m', 'torch.distributed.run', '--standalone', `--nproc-per-node=${count}`];

async function block(
  command: readonly string[],
  preparation: object,
  environment: NodeJS.ProcessEnv,
): Promise<Block> {
  const client = new Client(command[0]!, command.slice(1), environment);
  try {
    await client.ask('prepare', preparation);
    const replies: Reply[] = [];
    for (let step = 0; step < WARM_UP + Number(options.steps); step++) replies.push(await client.ask('step'));
    const kept = replies.slice(WARM_UP);
    const ofAll = (part: 'waiting' | 'transfer') =>
      median(
        kept.map(({ processes }) => processes.reduce((sum, of) => sum + of[part], 0) / processes.length),
      );
    const { shared_mb: memoryMb } = await client.ask<{ shared_mb: number }>('memory');
    return {
      ms: median(kept.map(({ ms }) => ms)),
      waitingMs: ofAll('waiting'),
      transferMs: ofAll('transfer'),
      memoryMb,
    };
  } finally {
    await client.exit();
  }
}

type SideName = 'one' | 'several' | 'peft';

const results: object[] = [];
try {
  execFileSync('npx', ['tsc', '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
  const columns = [
    'a step',
    '1 process',
    'processes',
    'speed',
    'memory',
    'waiting',
    'all-reduce',
    'PEFT',
    'speed',
  ];
  console.log(`| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}`);
  for (const [size] of benchCases(Number(options.dropout)).filter(
    ([size]) => SIZES.includes(size!.name) && size!.name.includes(options.only),
  )) {
    const folder = join(scratch, 'model');
    writeRandomCheckpoint(folder, size!);
    execFileSync('node', [join(BUILD, 'bench', 'make-base.js'), folder], { env });
    for (const dtype of options.dtype) {
      const sides: [SideName, () => Promise<Block>][] = [
        ['one', () => block(server, { ...size, dtype, folder }, env)],
        ['several', () => block([...mpirun, ...server], { ...size, dtype, folder, processThreads: 1 }, env)],
      ];
      if (python && dtype === 'float32') {
        const command = [python, ...torchrun, 'bench/python/peft_step_processes.py'];
        sides.push(['peft', () => block(command, { ...size, dtype }, process.env)]);
      }
      const rounds: Partial<Record<SideName, Block>>[] = [];
      results.push({ name: size!.name, dtype, processes: count, rounds });
      for (let round = 0; round < Number(options.rounds); round++) {
        const blocks: Partial<Record<SideName, Block>> = {};
        for (let i = 0; i < sides.length; i++) {
          const [name, measure] = sides[(round + i) % sides.length]!;
          blocks[name] = await measure();
        }
        rounds.push(blocks);
        atomicWrite(options.json, JSON.stringify(results, null, 2));
      }
      console.log(
        `| ${[`${size!.name}, ${dtype}`, ...cells(rounds as Record<SideName, Block>[])].join(' | ')} |`,
      );
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The cells of a table row. PEFT's cells are left out if it is not installed. */
function cells(rounds: readonly Record<SideName, Block>[]): string[] {
  const of = (value: (round: Record<SideName, Block>) => number) => median(rounds.map(value));
  const figures = (name: SideName) =>
    `${of((round) => round[name].ms).toFixed(0)} ms, ${of((round) => round[name].memoryMb).toFixed(0)} MB`;
  const share = (part: 'waitingMs' | 'transferMs') =>
    `${of(({ several }) => (100 * several[part]) / several.ms).toFixed(1)} %`;
  return [
    figures('one'),
    figures('several'),
    of(({ one, several }) => one.ms / several.ms).toFixed(2),
    of(({ one, several }) => several.memoryMb / one.memoryMb).toFixed(2),
    share('waitingMs'),
    share('transferMs'),
    ...('peft' in rounds[0]!
      ? [figures('peft'), of(({ several, peft }) => peft.ms / several.ms).toFixed(2)]
      : ['', '']),
  ];
}

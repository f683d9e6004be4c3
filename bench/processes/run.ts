import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hugePageEnvironment } from '../../src/cli/huge-pages/huge-page-environment.ts';
import { atomicWrite } from '../../src/formats/node/atomic-write.ts';
import { Client } from '../client.ts';
import { median } from '../median.ts';
import { writeRandomCheckpoint } from '../random-checkpoint.ts';
import { benchCases } from '../shapes.ts';

/*
 * npm run bench:processes -- [--rounds 5] [--steps 10] [--processes 2] [--dropout 0.1] [--only text] [--json FILE]
 *
 * Training steps of one process with several threads, and of as many processes with one thread each that share the same
 * batch through Open MPI. In turn: a process that waits for MPI is busy, so that only one side is there at a time, for a
 * block of steps, and rounds alternate which is first. The last column is what a step spends in its all-reduce, waiting for
 * the other process included.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Of a block, after two that are not counted. */
    steps: { type: 'string', default: '10' },
    processes: { type: 'string', default: '2' },
    /** Masks of a part of a batch are copied, so that it counts. */
    dropout: { type: 'string', default: '0.1' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: 'runs/bench-processes.json' },
  },
});
const BUILD = 'runs/bench-build';
const WARM_UP = 2;
const SIZES = ['BERT-base x 6, 16 x 128', 'MiniLM, 32 x 64'];

interface Block {
  /** Medians of the block. */
  ms: number;
  allReduceMs: number;
  /** Of all processes together, what they share counted once. */
  memoryMb: number;
}

const count = Number(options.processes);
const scratch = mkdtempSync(join(tmpdir(), 'adalora-bench-'));
const environment = { ...process.env, ADALORA_CACHE: join(scratch, 'cache'), UCX_MEM_EVENTS: 'n' };
const env = hugePageEnvironment(environment) ?? environment;
const server = ['node', join(BUILD, 'bench', 'step-server.js')];
const launcher = ['mpirun', '--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n', `${count}`];

async function block(command: readonly string[], preparation: object): Promise<Block> {
  const client = new Client(command[0], command.slice(1), env);
  try {
    await client.ask('prepare', preparation);
    const replies: { ms: number; allReduce: number }[] = [];
    for (let step = 0; step < WARM_UP + Number(options.steps); step++) replies.push(await client.ask('step'));
    const kept = replies.slice(WARM_UP);
    const { shared_mb: memoryMb } = await client.ask<{ shared_mb: number }>('memory');
    return {
      ms: median(kept.map(({ ms }) => ms)),
      allReduceMs: median(kept.map(({ allReduce }) => allReduce)),
      memoryMb,
    };
  } finally {
    await client.exit();
  }
}

const results: object[] = [];
try {
  execFileSync('npx', ['tsc', '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
  console.log(
    '| a step | 1 process | processes | speed | memory | all-reduce |\n| --- | --- | --- | --- | --- | --- |',
  );
  for (const [size] of benchCases(Number(options.dropout)).filter(
    ([{ name }]) => SIZES.includes(name) && name.includes(options.only),
  )) {
    const folder = join(scratch, 'model');
    writeRandomCheckpoint(folder, size);
    execFileSync('node', [join(BUILD, 'bench', 'make-base.js'), folder], { env });
    for (const dtype of ['float32', 'int8']) {
      const blocks: { one: Block; several: Block }[] = [];
      for (let round = 0; round < Number(options.rounds); round++) {
        const one = () => block(server, { ...size, dtype, folder });
        const several = () => block([...launcher, ...server], { ...size, dtype, folder, processThreads: 1 });
        if (round % 2 === 0) blocks.push({ one: await one(), several: await several() });
        else {
          const second = await several();
          blocks.push({ one: await one(), several: second });
        }
      }
      const of = (value: (block: (typeof blocks)[number]) => number) => median(blocks.map(value));
      const cells = [
        `${size.name}, ${dtype}`,
        `${of(({ one }) => one.ms).toFixed(0)} ms, ${of(({ one }) => one.memoryMb).toFixed(0)} MB`,
        `${of(({ several }) => several.ms).toFixed(0)} ms, ${of(({ several }) => several.memoryMb).toFixed(0)} MB`,
        of(({ one, several }) => one.ms / several.ms).toFixed(2),
        of(({ one, several }) => several.memoryMb / one.memoryMb).toFixed(2),
        `${of(({ several }) => (100 * several.allReduceMs) / several.ms).toFixed(1)} %`,
      ];
      console.log(`| ${cells.join(' | ')} |`);
      results.push({ name: size.name, dtype, processes: count, blocks });
      atomicWrite(options.json, JSON.stringify(results, null, 2));
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

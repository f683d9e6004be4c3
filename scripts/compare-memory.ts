import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/*
 * npm run build && npx tsx scripts/compare-memory.ts examples/cola.yaml --set model=FOLDER --set
 * data.train=FILE … [--only grow]
 *
 * Compares the memory that `plan` estimates with the peak of a run's whole process. The run includes
 * evaluations and, over a quantized base, the scoring with a float32 base. Prints a row for every method, and for
 * options that change memory. Each run is one epoch, so files of about 500 rows are enough.
 */

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', multiple: true, default: [] },
    /** Measures only rows with this text in their name. */
    only: { type: 'string', default: '' },
  },
});

/** One whole epoch, so that the run contains the largest batch. */
const COURSE = ['training.num_train_epochs=1', 'training.eval_strategy=epoch'];
/** The budget falls after step 2 and is final in the last 6 steps, so a short run has all phases. */
const BUDGET = ['tinit=2', 'tfinal=6', 'deltaT=2'];

const sixMatrices = '["query","key","value","attention.output.dense","intermediate.dense","output.dense"]';
const pruned = (method: string) => [`method=${method}`, ...BUDGET.map((each) => `${method}.${each}`)];
const CHECKPOINTING = 'training.gradient_checkpointing=true';
const CASES: Record<string, string[]> = {
  adalora: pruned('adalora'),
  'adalora, int8': [...pruned('adalora'), 'base_dtype=int8'],
  'adalora, int4': [...pruned('adalora'), 'base_dtype=int4'],
  'adalora, checkpointing': [...pruned('adalora'), CHECKPOINTING],
  'adalora, int8, checkpointing': [...pruned('adalora'), 'base_dtype=int8', CHECKPOINTING],
  'adalora, orthonormal': [...pruned('adalora'), 'adalora.init=orthonormal'],
  'adalora, score magnitude': [...pruned('adalora'), 'adalora.score=magnitude'],
  lora: ['method=lora', `lora.target_modules=${sixMatrices}`],
  'lora, int8': ['method=lora', `lora.target_modules=${sixMatrices}`, 'base_dtype=int8'],
  svd_lora: ['method=svd_lora'],
  'svd_lora, int8': ['method=svd_lora', 'base_dtype=int8'],
  prune_lora: pruned('prune_lora'),
  'prune_lora, int8': [...pruned('prune_lora'), 'base_dtype=int8'],
  bitfit: ['method=bitfit'],
  'bitfit, int8': ['method=bitfit', 'base_dtype=int8'],
  houlsby: ['method=houlsby'],
  'houlsby, int8': ['method=houlsby', 'base_dtype=int8'],
  pfeiffer: ['method=pfeiffer'],
  'pfeiffer, int8': ['method=pfeiffer', 'base_dtype=int8'],
  full: ['method=full'],
  'full, checkpointing': ['method=full', CHECKPOINTING],
};

/** Code that runs in any command, and writes the process's peak memory when it exits. */
const AT_EXIT = (path: string) =>
  `data:text/javascript,import{readFileSync,writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync('${path}',readFileSync('/proc/self/status')))`;

const folder = mkdtempSync(join(tmpdir(), 'adalora-memory-'));
try {
  console.log('| | planned MB | measured MB | ratio |\n|---|---|---|---|');
  for (const [name, settings] of Object.entries(CASES).filter(([name]) => name.includes(flags.only))) {
    const sets = [...flags.set, ...COURSE, ...settings, `output=${join(folder, 'run')}`];
    const ask = (command: string, status: string) =>
      execFileSync(
        process.execPath,
        ['dist/cli/main.js', command, ...positionals, '--json', ...sets.flatMap((each) => ['--set', each])],
        {
          encoding: 'utf8',
          env: { ...process.env, NODE_OPTIONS: `--import=${AT_EXIT(status)}` },
          maxBuffer: 2 ** 28,
        },
      );
    const status = join(folder, 'status');
    const { memoryMb } = JSON.parse(ask('plan', status)) as { memoryMb: number };
    ask('train', status);
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8')) ?? [];
    const measured = Number(kilobytes) / 1024;
    console.log(
      `| ${name} | ${memoryMb.toFixed(0)} | ${measured.toFixed(0)} | ${(memoryMb / measured).toFixed(2)} |`,
    );
    rmSync(join(folder, 'run'), { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

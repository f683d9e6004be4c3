import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { atomicWrite } from '../src/input/store/node/atomic-write.ts';
import { DATA_CASES, isThere } from './data/data-cases.ts';
import { measureData } from './data/data-rows.ts';
import { DECODER_CASES } from './decoder/decoder-cases.ts';
import { measureDecoder } from './decoder/decoder-rows.ts';
import { median } from './median.ts';
import type { BenchResults } from './results.ts';
import { benchCases } from './shapes.ts';
import { Launcher } from './sides.ts';
import { startup } from './startup.ts';
import { measureSteps } from './step-rows.ts';
import { dataTable } from './table/data-table.ts';
import { decoderTable } from './table/decoder-table.ts';
import { stepTable } from './table/step-table.ts';

/*
 * npm run bench -- [--steps 7] [--blocks 5] [--block-steps 20] [--dropout 0] [--only text] [--sides float32,int8] [--batch 4] [--json FILE]
 *
 * Measures AdaLoRA and LoRA compared with PEFT, if BENCH_PYTHON names a Python with torch, transformers and peft.
 * Our sides use float32 and an int8 base; PEFT uses float32 and bf16 autocast. Prints tables of medians, and
 * writes every time as JSON to FILE. There are three parts:
 *
 * - training steps; the sides take turns after each step;
 * - decoders, also over an int4 base, in training and generation; generation also through `adalora serve` with
 *   adapters, and compared with llama.cpp, if the Python has llama-cpp-python and gguf;
 * - training, evaluation and prediction on real data, in blocks.
 */

const { values: options } = parseArgs({
  options: {
    /** Number of steps per side, after two warm-up steps. */
    steps: { type: 'string', default: '7' },
    /** Number of blocks on real data, after one warm-up block. */
    blocks: { type: 'string', default: '5' },
    'block-steps': { type: 'string', default: '20' },
    dropout: { type: 'string', default: '0' },
    /** Measures only rows with this text in their name. */
    only: { type: 'string', default: '' },
    /** Measures steps only on sides with one of these texts in their name, separated by commas. */
    sides: { type: 'string', default: '' },
    /** Rows of a step, for a quick look. Default: by the size. */
    batch: { type: 'string', default: '' },
    json: { type: 'string', default: 'runs/bench.json' },
  },
});
const threads = availableParallelism();
const scratch = mkdtempSync(join(tmpdir(), 'adalora-bench-'));
const results: BenchResults = { options, steps: [], data: [], decoders: [] };
/** Called after every part, because the whole bench takes long. */
const save = () => atomicWrite(options.json, JSON.stringify(results, null, 2));
try {
  const launcher = new Launcher(process.env.BENCH_PYTHON, join(scratch, 'cache'), options.sides);
  console.log('In brackets what is to be reached; beside bf16 that is meant for a machine with AMX.\n');
  for (const cases of benchCases(Number(options.dropout), Number(options.batch) || undefined)) {
    if (!cases[0]!.name.includes(options.only)) continue;
    const rounds = { warmUp: 2, kept: Number(options.steps) };
    const folder = join(scratch, 'model');
    const { versions, ...result } = await measureSteps(cases, launcher, { rounds, threads, folder });
    results.versions ??= versions;
    results.steps.push(result);
    save();
    console.log(stepTable(result));
  }
  for (const decoder of DECODER_CASES) {
    if (!decoder.name.includes(options.only)) continue;
    const rounds = { warmUp: 1, kept: Number(options.steps) };
    results.decoders.push(
      await measureDecoder(decoder, launcher, { rounds, threads, folder: join(scratch, 'decoder') }),
    );
    save();
    console.log(decoderTable(results.decoders.at(-1)!, decoder));
  }
  for (const dataCase of DATA_CASES) {
    if (!dataCase.name.includes(options.only)) continue;
    if (!isThere(dataCase.task)) {
      console.log(`${dataCase.name}: not measured, ../shared is missing\n`);
      continue;
    }
    const rounds = { warmUp: 1, kept: Number(options.blocks) };
    const folder = join(scratch, `${dataCase.task}-adapter`);
    const blockSteps = Number(options['block-steps']);
    results.data.push(await measureData(dataCase, launcher, { rounds, blockSteps, threads, folder }));
    save();
    console.log(dataTable(results.data.at(-1)!));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (!options.only) {
  results.startupMs = await startup(5);
  const told = results.startupMs
    ? `${median(results.startupMs).toFixed(0)} ms`
    : 'not measured, ../shared is missing';
  console.log(`command to first step, MiniLM on CoLA: ${told}`);
}
save();

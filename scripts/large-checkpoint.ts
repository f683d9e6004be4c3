import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { disk } from '../src/input/formats/node/folder-files.ts';
import { openCheckpoint } from '../src/input/formats/open-checkpoint.ts';
import { atomicWrite } from '../src/input/store/node/atomic-write.ts';
import { elementCount } from '../src/support/arrays.ts';
import { llamaConfig, llamaShapes } from './large-checkpoint/llama-shape.ts';
import { writeShards } from './large-checkpoint/write-shards.ts';

const USAGE = `npx tsx scripts/large-checkpoint.ts FOLDER [--layers 32] [--hidden 4096] [--inner 11008] [--vocab 32000]
    [--heads 32] [--kv-heads 32] [--shard-gb 5]

Writes a checkpoint of Llama's shape with random bf16 weights to FOLDER, unless there is one, and reads it through, with
the memory that each step leaves and took. The defaults are Llama-2-7B's: 13.5 GB.`;

const MEGABYTE = 2 ** 20;
/** Elements per read. */
const BLOCK = 2 ** 20;

const started = performance.now();

/** Prints the resident memory after a step, and its peak so far. */
function report(step: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const now = process.memoryUsage.rss() / MEGABYTE;
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(`${seconds} s  ${now.toFixed(0)} MB (at most ${peak.toFixed(0)} MB)  ${step}`);
}

function readThrough(folder: string): void {
  const checkpoint = openCheckpoint(disk, folder);
  report(`opened: ${checkpoint.names().length} tensors`);
  let [count, squares] = [0, 0];
  for (const name of checkpoint.names()) {
    const { shape } = checkpoint.info(name);
    if (shape.length === 1) continue;
    const length = elementCount(shape);
    for (let start = 0; start < length; start += BLOCK) {
      const values = checkpoint.readFloat32(name, start, Math.min(length, start + BLOCK));
      for (const value of values) squares += value * value;
    }
    count += length;
  }
  checkpoint.close();
  report(
    `read: ${(count / 1e9).toFixed(2)} billion values, standard deviation ${Math.sqrt(squares / count)}`,
  );
}

const number = (value: number) => ({ type: 'string', default: `${value}` }) as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: number(32),
    hidden: number(4096),
    inner: number(11008),
    vocab: number(32000),
    heads: number(32),
    'kv-heads': number(32),
    'shard-gb': number(5),
  },
});
if (positionals.length !== 1) {
  console.error(USAGE);
  process.exit(2);
}
const [folder] = positionals;
report('started');
if (!existsSync(join(folder!, 'config.json'))) {
  const size = {
    layers: Number(values.layers),
    hidden: Number(values.hidden),
    inner: Number(values.inner),
    vocab: Number(values.vocab),
    heads: Number(values.heads),
    kvHeads: Number(values['kv-heads']),
  };
  const config = llamaConfig(size);
  writeShards(folder!, llamaShapes(size), config.initializer_range, Number(values['shard-gb']) * 1e9);
  // Written last: if it exists, all other files are complete.
  atomicWrite(join(folder!, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  report('written');
}
readThrough(folder!);

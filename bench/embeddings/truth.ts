/**
 * Trains a search on pairs with nothing set, and compares the reported accuracy@1 and its interval with that on other pairs of the
 * file, before and after training. A line of JSON.
 *
 *     npx tsx bench/embeddings/truth.ts e2e|qnli PAIRS [MODEL]
 */
import { readFileSync } from 'node:fs';
import { inScratchFolder } from '../../src/input/store/node/temporary-name.ts';
import { ALONE_PROCESSES } from '../../src/program/parallel/communicator.ts';
import { type MadeFiles, memoryStore } from '../../src/studies/jobs/memory-store.ts';
import { THIS_NODE } from '../../src/studies/jobs/node/machine.ts';
import { trainRun } from '../../src/studies/jobs/train-run.ts';
import { Random } from '../../src/support/random.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import { open } from '../../src/use/trained/node/open.ts';

const [file = 'e2e', count = '200', model] = process.argv.slice(2);
const text = (path: string) => readFileSync(`../shared/data/${path}`, 'utf8');
const FILES: Record<string, () => string[][]> = {
  // One description for each list of slots.
  e2e: () => {
    const rows = [...text('e2e/devset.csv').matchAll(/^"([^"]*)",(?:"((?:[^"]|"")*)"|(.*))$/gm)];
    return [...new Map(rows.map(([, slots, quoted, plain]) => [slots!, quoted ?? plain!]))];
  },
  qnli: () =>
    text('glue/QNLI/dev.tsv')
      .split('\n')
      .map((line) => line.split('\t'))
      .filter((fields) => fields[3]?.trim() === 'entailment')
      .map(([, question, answer]) => [question!, answer!]),
};
const all = FILES[file]!();
const order = [...new Random(0, file).permutation(all.length)];
const pairs = order.map((i) => ({ anchor: all[i]![0]!, positive: all[i]![1]! }));
const size = Number(count);
const data = { train: 'pairs.jsonl', anchor: 'anchor', positive: 'positive' };
const config = { ...(model && { model }), task: 'sentence_embedding', data, output: 'unwritten' };
const started = performance.now();
const made: MadeFiles = {};
const { finish } = await trainRun(THIS_NODE, parseRunConfig(config as never, 'bench'), {
  memory: {
    texts: {
      'pairs.jsonl': pairs
        .slice(0, size)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    },
  },
  processes: ALONE_PROCESSES,
  store: memoryStore({}, made),
  host: {
    emit: (event) => void (event.type === 'step' && console.error(event.step, event.loss)),
    shouldStop: () => false,
  },
});
const others = [1, 2]
  .map((i) => pairs.slice(i * size, (i + 1) * size))
  .filter((rows) => rows.length === size);
const scoresOf = async (path: string, reading: object) => {
  await using opened = await open(path, reading);
  const scores = await Promise.all(
    others.map((rows) =>
      opened.evaluate({ data: rows, reading: { anchor: 'anchor', positive: 'positive' } }),
    ),
  );
  return scores.map((found) => (found as Record<string, number>)['eval_accuracy@1']);
};
await inScratchFolder('runs', 'truth', async (folder) => {
  for (const [name, content] of made.adapter!) THIS_NODE.folder(folder).write(name, content as never);
  const { value, interval, kept, to_beat, candidates } = finish.verdict!;
  const seconds = Math.round((performance.now() - started) / 1000);
  const truth = {
    after: await scoresOf(folder, {}),
    ...(model && { before: await scoresOf(model, { embeds: true }) }),
  };
  console.log(
    JSON.stringify({ file, pairs: size, kept, value, interval, candidates, to_beat, ...truth, seconds }),
  );
});

/**
 * Trains the built-in encoder with nothing set on twenty draws of eight files, 30 to 1,000 rows each. Compares the expected calibration
 * error and the loss on 500 other rows with those of the same model without its temperature, and prints the largest
 * probability of a text from another file, which has no class. A line of JSON per draw, then the means.
 *
 *     npx tsx bench/calibration/run.ts [DRAW...]      # numbers from 0 to 19
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALONE_PROCESSES } from '../../src/program/parallel/communicator.ts';
import { expectedCalibrationError, meanCrossEntropy } from '../../src/scores/metrics/classes.ts';
import { type MadeFiles, memoryStore } from '../../src/studies/jobs/memory-store.ts';
import { THIS_NODE } from '../../src/studies/jobs/node/machine.ts';
import { trainRun } from '../../src/studies/jobs/train-run.ts';
import { mean } from '../../src/support/numbers.ts';
import { Random } from '../../src/support/random.ts';
import type { ClassAnswer } from '../../src/tasks/single-label-classification/definition.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { FILES, type Row } from '../soft-labels/read-files.ts';

interface PairRow extends Row {
  text_pair?: string;
}

const table =
  (path: string, columns: readonly number[], skipped = 1) =>
  () =>
    readFileSync(`../shared/data/glue/${path}`, 'utf8')
      .split(/\r?\n/)
      .slice(skipped, -1)
      .map((line) => {
        const fields = line.split('\t');
        const [text = '', label = '', text_pair] = columns.map((column) => fields[column]!);
        return { text, label, ...(text_pair !== undefined && { text_pair }) };
      });

const SOURCES: Record<string, () => PairRow[]> = {
  ...FILES,
  cola: table('CoLA/train.tsv', [3, 1], 0),
  rte: table('RTE/train.tsv', [1, 3, 2]),
  mrpc: table('MRPC/train.tsv', [3, 0, 4]),
  mnli: () =>
    readFileSync('../shared/data/glue/MNLI/dev_matched.jsonl', 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
      .map(({ premise: text, hypothesis: text_pair, label }) => ({ text, text_pair, label })),
};
const SIZES = [30, 40, 60, 100, 200, 300, 600, 1000];
const TESTED = 500;
const STRANGERS = 100;

const names = Object.keys(SOURCES);
// Every file meets small and large sizes.
const draws = Array.from({ length: 20 }, (_, i) => ({
  name: names[i % names.length]!,
  size: SIZES[(3 * i + Math.floor(i / names.length)) % SIZES.length]!,
  seed: i,
}));

interface Found {
  ece: number;
  eceBefore: number;
  loss: number;
  lossBefore: number;
}
const all: Found[] = [];
const folder = mkdtempSync(join(tmpdir(), 'calibration-'));
try {
  const asked = process.argv.slice(2).map((number) => draws[Number(number)]!);
  for (const { name, size, seed } of asked.length > 0 ? asked : draws) {
    const drawn = (of: string, from: number, to: number) => {
      const rows = SOURCES[of]!();
      return Array.from(new Random(seed, of).permutation(rows.length).subarray(from, to), (i) => rows[i]!);
    };
    const started = performance.now();
    const train = drawn(name, 0, size);
    const columns = Object.keys(train[0]!).filter((column) => column !== 'label');
    const data = {
      train: 'rows.jsonl',
      label: 'label',
      ...Object.fromEntries(columns.map((of) => [of, of])),
    };
    const made: MadeFiles = {};
    const run = await trainRun(THIS_NODE, parseRunConfig({ data, output: 'unwritten' } as never, 'bench'), {
      memory: { texts: { 'rows.jsonl': train.map((row) => JSON.stringify(row)).join('\n') } },
      processes: ALONE_PROCESSES,
      store: memoryStore({}, made),
      host: { emit() {}, shouldStop: () => false },
    });
    const path = join(folder, `${seed}`);
    THIS_NODE.folder(path);
    for (const [file, content] of made.adapter!) THIS_NODE.folder(path).write(file, content as never);
    const { contenders, choice, outputs, judged, result } = run.conclusion!;
    const plain = contenders[choice.chosen]!.versions[choice.versions[choice.chosen]!]!;
    const row = judged[0]!;
    const at = outputs[row]!.findIndex((output) => output !== 0);
    const temperature = plain[row]![at]! / outputs[row]![at]!;
    await using model = await open(path);
    const answer = async (rows: readonly PairRow[]) => {
      const answers: ClassAnswer[] = [];
      for await (const one of model.predict(rows.map(({ label: _, ...texts }) => texts)))
        answers.push(one as unknown as ClassAnswer);
      return answers;
    };
    const test = drawn(name, size, size + TESTED).filter(({ label }) =>
      train.some((row) => row.label === label),
    );
    const answers = await answer(test);
    const labels = Object.keys(answers[0]!.probabilities);
    const targets = test.map(({ label }) => labels.indexOf(label));
    const scores = (factor: number) => {
      const logits = Float32Array.from(answers.flatMap((one) => one.logits.map((logit) => logit * factor)));
      return [
        expectedCalibrationError(logits, labels.length, targets),
        meanCrossEntropy(logits, labels.length, targets),
      ] as const;
    };
    const [[ece, loss], [eceBefore, lossBefore]] = [scores(1), scores(temperature)];
    const other = names[(names.indexOf(name) + 3) % names.length]!;
    const strangers = drawn(other, 0, STRANGERS).map((row) => ({
      ...row,
      ...(columns.length > 1 && { text_pair: row.text_pair ?? row.text }),
    }));
    const certain = (
      await answer(strangers.map((row) => (columns.length > 1 ? row : { text: row.text, label: '' })))
    ).map(({ probabilities }) => Math.max(...Object.values(probabilities)));
    const found = {
      ...{ ece, eceBefore, loss, lossBefore },
      accuracy: mean(answers.map((one, i) => Number(one.label === test[i]!.label))),
      reported: run.finish.verdict?.value,
      interval: run.finish.verdict?.interval,
      strangers: Math.max(...certain),
    };
    all.push(found);
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(
      JSON.stringify({ draw: seed, name, size, kept: result.kind, temperature, ...found, seconds }),
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
for (const name of ['ece', 'eceBefore', 'loss', 'lossBefore'] as const)
  console.log(name, mean(all.map((found) => found[name])));
console.log(
  'draws with a larger calibration error',
  all.filter(({ ece, eceBefore }) => ece > eceBefore).length,
);

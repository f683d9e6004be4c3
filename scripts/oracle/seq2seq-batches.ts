import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { textFile } from '../../src/input/data/node/text-files.ts';
import { planEpoch } from '../../src/input/text/batches.ts';
import { trainingFiles } from '../../src/tasks/data-files.ts';
import { readPairs } from '../../src/tasks/seq2seq-lm/read-pairs.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import type { RunConfig } from '../../src/training/run/config/run-config.ts';
import { runLength } from '../../src/training/train/trainer-settings.ts';
import { loadTokenizer } from '../../tests/support/load-tokenizer.ts';

/*
 * tsx seq2seq-batches.ts RUN.yaml BATCHES.json
 *
 * Writes the examples of each step of a sequence-to-sequence run, for train_seq2seq.py.
 */

const [config, output] = process.argv.slice(2) as [string, string];
const run = parseRunConfig(
  { ...parse(readFileSync(config, 'utf8')), defaults: 'huggingface' },
  config,
) as RunConfig;
if (run.task !== 'seq2seq_lm') throw new Error('another task');
const { data, training, seed } = run;
const tokenizer = await loadTokenizer(run.model, { typeVocabSize: 0 });
const tokens = (text: string, most = 128) => tokenizer.encode(text, undefined, most).inputIds.length;
const pairs = trainingFiles(data).flatMap((path) => readPairs(textFile(path).read(), path, data, true));
const examples = pairs.flatMap(({ source, targets }) => targets.map((target) => ({ source, target })));
const targetLengths = Int32Array.from(examples, ({ target }) => tokens(target, data.max_target_length));
const lengths = targetLengths.map((own, i) => own + tokens(examples[i]!.source, data.max_source_length));
const batchSize = training.per_device_train_batch_size;
const { stepsPerEpoch, totalSteps } = runLength(lengths.length, batchSize, 1, training.num_train_epochs, -1);
const batches = Array.from({ length: Math.ceil(totalSteps / stepsPerEpoch) }, (_, epoch) =>
  planEpoch({ lengths, targetLengths, batchSize, seed, epoch, groupByLength: training.group_by_length }),
);
writeFileSync(output, JSON.stringify(batches.flat().map((batch) => [...batch])));

import { beforeAll, describe, expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { writeSmallGenerator } from '../../../tests/support/small-generator.ts';
import { everyParameter } from '../../methods/tuners/full/definition.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { Program } from '../../program/program.ts';
import { bleu } from '../../scores/metrics/bleu.ts';
import { meanCrossEntropy } from '../../scores/metrics/classes.ts';
import { rouge } from '../../scores/metrics/rouge.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { openModel, readFolder } from '../../use/trained/node/load-model.ts';
import { open as openTrained } from '../../use/trained/node/open.ts';
import type { EncodingContext } from '../prediction.ts';
import { seq2seqLm } from './definition.ts';
import { type PairData, pairDataSchema, readPairs } from './read-pairs.ts';

const COLUMNS = { source: 'source', target: 'target' };
const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');

describe('pairs', () => {
  it('are read from tables and JSON Lines', () => {
    const one = { line: 2, source: 'a, b', targets: ['c'] };
    expect(readPairs('source,target\n"a, b",c\n', 'x.csv', COLUMNS, true)).toEqual([one]);
    expect(readPairs('source\ttarget\na, b\tc\n', 'x.tsv', COLUMNS, true)).toEqual([one]);
    expect(readPairs('a, b\tc\n', 'x.tsv', { source: 0, target: 1 }, true)).toEqual([{ ...one, line: 1 }]);
    const json = `\n${lines({ source: 'a, b', target: 'c' })}`;
    expect(readPairs(json, 'x.jsonl', COLUMNS, true)).toEqual([one]);
  });

  it('may have sentences as source and several targets', () => {
    const json = lines({ source: ['One.', 'Two.'], target: ['1', '2'] }, { source: 'x', target: 'y' });
    expect(readPairs(json, 'x.jsonl', COLUMNS, true)).toEqual([
      { line: 1, source: 'One. Two.', targets: ['1', '2'] },
      { line: 2, source: 'x', targets: ['y'] },
    ]);
  });

  it('need no target to predict', () => {
    const { source, targets } = readPairs(lines({ source: '' }), 'x.jsonl', COLUMNS, false)[0]!;
    expect([source, targets]).toEqual(['', []]);
  });

  it.each([
    ['x.csv', 'source,summary\na,b\n', 'x.csv has no column "target". The file\'s columns: source, summary.'],
    [
      'x.jsonl',
      lines({ source: 'a', targets: 'b' }),
      'x.jsonl:1 has no column "target". Did you mean targets? The row\'s keys: source, targets.',
    ],
    [
      'x.csv',
      'source,target\na,b\nc,\nd," "\n',
      'x.csv:3 has an empty text in "target". Remove such rows. The same in 2 rows: lines 3, 4.',
    ],
    [
      'x.jsonl',
      lines({ source: ' ', target: 'b' }),
      'x.jsonl:1 has an empty text in "source". Remove such rows.',
    ],
    [
      'x.jsonl',
      lines({ source: 'a', target: [] }),
      'x.jsonl:1 has an empty list in "target". Remove such rows.',
    ],
    [
      'x.jsonl',
      lines({ source: 'a', target: ['b', ''] }),
      'x.jsonl:1 has an empty text in "target". Remove such rows.',
    ],
    [
      'x.jsonl',
      lines({ source: 'a', target: 3 }),
      'x.jsonl:1 needs a text, or a list of texts, in "target", got a number.',
    ],
    ['x.jsonl', '', 'x.jsonl is empty.'],
  ])('of %s are rejected: %j', (name, content, message) => {
    expect(() => readPairs(content, name, COLUMNS, true)).toThrow(message);
  });
});

describe('a config', () => {
  const parse = (config: object, data: object = {}) =>
    parseRunConfig(
      { task: 'seq2seq_lm', data: { train: 'a', validation: 'b', ...data }, output: 'o', ...config },
      'x',
    );

  it('scores by generated texts, or only by the loss', () => {
    expect(parse({}).training).toMatchObject({ metric_for_best_model: 'rougeL', greater_is_better: true });
    const byLoss = parse({}, { predict_with_generate: false }).training;
    expect(byLoss).toMatchObject({ metric_for_best_model: 'loss', greater_is_better: false });
  });

  it('smooths labels only of cross-entropies', () => {
    const smoothed = { training: { label_smoothing_factor: 0.1 } };
    expect(parse(smoothed).training.label_smoothing_factor).toBe(0.1);
    const data = { train: 'a', text: 0, label: 1 };
    expect(() => parseRunConfig({ task: 'regression', data, output: 'o', ...smoothed }, 'x')).toThrow(
      'x: `training.label_smoothing_factor` must be 0 for task regression, because its loss has no labels to smooth.',
    );
  });

  it.each([
    [
      { training: { metric_for_best_model: 'bleu' } },
      { predict_with_generate: false },
      'x: `training.metric_for_best_model` must be a metric of seq2seq_lm (loss), got "bleu".',
    ],
    [
      {},
      { generation_config: { num_baems: 2 } },
      'x: `data.generation_config.num_baems` is not a known key. Did you mean num_beams?',
    ],
    [
      {},
      { generation_config: { num_beams: 0 } },
      'x: `data.generation_config.num_beams` must be at least 1, got 0.',
    ],
    [
      {},
      { max_length: 3 },
      'x: `data.max_length` is not a known key. It is a key of data.generation_config.',
    ],
  ])('is rejected: %j %j', (config, data, message) => {
    expect(() => parse(config, data)).toThrow(message);
  });
});

describe('a small BART', () => {
  const folder = newFolder();
  beforeAll(() => {
    writeSmallGenerator(folder, 'bart', {
      architectures: ['BartForConditionalGeneration'],
      dropout: 0,
      forced_eos_token_id: 2,
    });
  });

  async function opened(data: object = {}) {
    const model = await openModel(folder, seq2seqLm.build([]));
    const tuner = everyParameter(model);
    const values = tuner.initialValues(0, model.reader(0));
    const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
    const reading = pairDataSchema.parse({ train: 'x', max_target_length: 24, ...data });
    const { modality, generationFiles } = await readFolder(folder);
    const context: EncodingContext<PairData> = {
      modality: modality(model.config, reading.max_source_length),
      config: model.config,
      reading,
      labels: [],
      seed: 0,
      generationFiles,
    };
    return { model, program, values, context };
  }
  const PAIRS = lines(
    { source: 'the cat', target: 'a cat' },
    { source: ['the dog sat.', 'So.'], target: ['dogs sit', 'the the dog'] },
    { source: 'x', target: 'a much longer target than any other there is' },
  );
  const pairs = () => readPairs(PAIRS, 'x.jsonl', COLUMNS, true);

  it('learns an example for each target, padding outside the loss', async () => {
    const { model, context } = await opened({ source_prefix: 'sum: ' });
    const set = seq2seqLm.examples(pairs(), context);
    const ids = (text: string) => [...requireTexts(context.modality).encode(text, undefined, 64).inputIds];
    const targets = ['a cat', 'dogs sit', 'the the dog', 'a much longer target than any other there is'].map(
      ids,
    );
    expect(set.truncated).toBe(1);
    expect([...(set.targetLengths ?? [])]).toEqual([...targets.slice(0, 3).map(({ length }) => length), 24]);
    expect(set.lengths[0]).toBe(ids('sum: the cat').length + targets[0]!.length);
    const { feeds, weight } = set.batch(Int32Array.of(0, 2), 0);
    const rows = [targets[0]!, targets[2]!];
    expect(weight).toBe(rows.flat().length);
    // As in DataCollatorForSeq2Seq and shift_tokens_right: the start token (2), the target, padding (0).
    // Sequence-major.
    const length = Math.max(...rows.map((row) => row.length));
    const shifted = rows.map((row) => [2, ...row.slice(0, -1), ...new Array(length - row.length).fill(0)]);
    // In the shorter row, the end token itself follows the last label.
    const [short] = rows[0]!.length < rows[1]!.length ? [0] : [1];
    shifted[short]![rows[short]!.length] = 2;
    const transposed = Array.from({ length }, (_, at) => shifted.map((row) => row[at])).flat();
    expect([...feeds.decoder_input_ids!.data]).toEqual(transposed);
    expect([...feeds.labels!.data].sort()).toEqual(rows.flat().sort());
    model.close();
  });

  it('is scored by its loss, with equal weight per token, and by its texts against all targets', async () => {
    const { model, program, values, context } = await opened({ generation_config: { num_beams: 2 } });
    const set = seq2seqLm.examples(pairs(), context);
    let [sum, tokens] = [0, 0];
    for (let example = 0; example < set.lengths.length; example++) {
      const { feeds, weight } = set.batch(Int32Array.of(example), 0);
      const logits = await program.predict(values, feeds);
      sum += weight * meanCrossEntropy(logits, model.config.vocabSize, feeds.labels!.data as Int32Array);
      tokens += weight;
    }
    const scores = await seq2seqLm.evaluation(pairs(), context, 2).run(program, values);
    expect(scores.eval_loss).toBeCloseTo(sum / tokens, 5);

    const trained = await openTrained(folder, { generates: true });
    const written = [];
    for (const { source } of pairs()) {
      const { text, ids } = await trained.generate(source, { num_beams: 2, max_length: 24 });
      written.push({ text, tokens: ids.length });
    }
    await trained.close();
    const texts = written.map(({ text }) => text);
    const targets = pairs().map((pair) => pair.targets);
    const { rouge1, rougeL } = rouge(texts, targets);
    expect(scores).toMatchObject({
      eval_rouge1: rouge1,
      eval_rougeL: rougeL,
      eval_bleu: bleu(texts, targets),
    });
    expect(scores.eval_gen_len).toBe(written.reduce((all, one) => all + one.tokens, 0) / 3);
    await program.release();
    model.close();
  });

  it('generates a text for each source in order', async () => {
    const trained = await openTrained(folder, { batchSize: 2 });
    expect(trained.task).toBe('seq2seq_lm');
    const { prediction } = seq2seqLm;
    const inputs = prediction?.input.parse(
      'the cat\n\nx\r\nthe dog sat\n',
      undefined,
      pairDataSchema.parse({ train: 'x' }),
    );
    let read = 0;
    function* asked() {
      for (const input of inputs ?? []) {
        read++;
        yield input;
      }
    }
    const answers = [];
    for await (const answer of trained.predict<object, { text: string }>(asked())) {
      if (answers.length === 0) expect(read).toBe(2);
      answers.push(answer.text);
    }
    const alone = await trained.generate('the dog sat', { max_length: 64 });
    // The blank line also gets an answer.
    expect(answers.length).toBe(4);
    expect(answers[3]).toBe(alone.text);
    await trained.close();
  });

  it.each([
    [{ max_target_length: 99 }, 'data.max_target_length must be a whole number from 1 to 64'],
    [
      { max_target_length: 2 },
      'data.max_target_length must be at least 3, because 2 tokens are special, got 2.',
    ],
    [
      { max_source_length: 1 },
      'data.max_source_length must be at least 3, because 2 tokens are special, got 1.',
    ],
    [
      { generation_config: { length_penalty: 2 } },
      'data.generation_config: length_penalty 2 needs num_beams of 2 or more',
    ],
  ])('rejects %j before it trains', async (data, message) => {
    const { model, context } = await opened(data);
    expect(() => seq2seqLm.evaluation(pairs(), context, 2)).toThrow(message);
    model.close();
  });
});

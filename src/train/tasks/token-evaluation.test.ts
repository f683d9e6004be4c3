import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyEntities, writeTinyTagger } from '../../../tests/support/tiny-entities.ts';
import { readSentences } from '../../tasks/token-classification/read-sentences.ts';
import { tagIds } from '../../tasks/token-classification/tag-ids.ts';
import { tagNames } from '../../tasks/token-classification/tag-names.ts';
import type { TaggedSentence } from '../../tasks/token-classification/tagged-sentence.ts';
import { taggedWords } from '../../tasks/token-classification/tagged-words.ts';
import { wordExamples } from '../../tasks/token-classification/word-examples.ts';
import { tokenModel } from '../../tasks/token-model.ts';
import { createMethod } from '../method.ts';
import { type LoadedModel, openModel } from '../node/load-model.ts';
import { nodeEngine } from '../node/node-engine.ts';
import { type OpenText, openText } from '../node/open-text.ts';
import { Program } from '../program.ts';
import { parseRunConfig } from '../run-config.ts';
import { Trainer } from '../trainer.ts';
import { trainerSettings } from '../trainer-settings.ts';
import { predictWords } from './predict-words.ts';
import { type LabelledSentences, tokenEvaluation } from './token-evaluation.ts';

let folder: string;
let training: TaggedSentence[];
let labels: readonly string[];
let validation: LabelledSentences;
let model: LoadedModel;
let text: OpenText;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tagger-'));
  training = written('train.conll', 320, 1);
  validation = { sentences: written('dev.jsonl', 60, 2), fileName: 'dev.jsonl' };
  labels = tagNames(training, undefined, 'train.conll');
  writeTinyTagger(join(folder, 'model'));
  model = openModel(join(folder, 'model'), (definition, config) =>
    tokenModel('TOKEN_CLS')(definition, { ...config, numLabels: labels.length }),
  );
  text = openText(join(folder, 'model'), model.config, 32);
});
afterAll(() => {
  model.close();
  rmSync(folder, { recursive: true });
});

/** Sentences as a file has them. */
function written(name: string, count: number, seed: number): TaggedSentence[] {
  const path = join(folder, name);
  writeTinyEntities(path, count, seed);
  return readSentences(readFileSync(path, 'utf8'), name, {}, true);
}

const context = () => ({ labels, tokenizer: text.tokenizer, maxLength: text.maxLength });

describe('the loss', () => {
  it('is that of the graph, the mean over first pieces', async () => {
    const { run } = createMethod(config('lora'), model, 1);
    const values = run.tuner.initialValues(0, model.reader(0));
    const program = new Program(nodeEngine(model, 'cpu'), model, run.tuner);
    const { examples, run: score } = tokenEvaluation(validation, context(), 7);
    let [sum, tokens] = [0, 0];
    for (let example = 0; example < examples.lengths.length; example += 3) {
      const { feeds, weight } = examples.batch(Int32Array.of(example, example + 1, example + 2), 0);
      sum += weight * (await program.loss(values, feeds));
      tokens += weight;
    }
    expect(tokens).toBe(validation.sentences.reduce((total, { words }) => total + words.length, 0));
    // The graph sums in 32 bits.
    expect((await score(program, values)).eval_loss).toBeCloseTo(sum / tokens, 5);
    await program.release();
  });
});

describe.each(['adalora', 'full'] as const)('trained with %s', (method) => {
  it('a tiny model finds new names', async () => {
    const settings = config(method);
    const train = wordExamples(
      training,
      text.tokenizer,
      text.maxLength,
      tagIds(training, labels, 'train.conll'),
    );
    const { totalSteps, ...others } = trainerSettings(settings, training.length);
    const { run } = createMethod(settings, model, totalSteps);
    const values = run.tuner.initialValues(0, model.reader(0));
    const engine = nodeEngine(model, 'cpu');
    const trainer = new Trainer(
      { engine, model, method: run, values, train, validation: tokenEvaluation(validation, context(), 64) },
      { totalSteps, ...others },
      { emit: () => {}, shouldStop: () => false, save: () => '', peakMemoryMb: () => 0 },
    );
    const { metrics } = await trainer.run();
    expect(metrics.eval_f1).toBeGreaterThan(0.8);
    expect(metrics.eval_accuracy).toBeGreaterThan(metrics.eval_f1);
    expect(Object.keys(metrics).sort()).toEqual(
      ['accuracy', 'f1', 'loss', 'precision', 'recall'].map((name) => `eval_${name}`),
    );

    const words = 'Orlo Kelsen met Jasko in North Velburg .'.split(' ');
    const program = new Program(engine, model, run.tuner);
    const set = wordExamples([{ words }], text.tokenizer, text.maxLength);
    const [logits] = await predictWords(program, trainer.values, set, labels.length, 8);
    const { entities } = taggedWords(words, set.firstPieces[0].words, logits, labels);
    expect(entities.map(({ type, text }) => `${type} ${text}`)).toEqual([
      'PER Orlo Kelsen',
      'PER Jasko',
      'LOC North Velburg',
    ]);
    await program.release();
  });
});

/** The method and training sections of a run; what it says of data is not read here. */
function config(method: 'adalora' | 'lora' | 'full') {
  return parseRunConfig(
    {
      model: 'model',
      data: { train: 'x', validation: 'x', text: 'x', label: 'y' },
      method,
      output: 'x',
      training: {
        learning_rate: method === 'full' ? 3e-3 : 2e-2,
        num_train_epochs: 20,
        per_device_train_batch_size: 16,
      },
      adalora: { target_r: 6, init_r: 8, lora_alpha: 16, tinit: '10%', tfinal: '40%', deltaT: 5 },
    },
    'run.yaml',
  );
}

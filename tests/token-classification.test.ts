import { beforeAll, describe, expect, it } from 'vitest';
import { textFile } from '../src/input/data/node/text-files.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { Program } from '../src/program/program.ts';
import { taskNamed } from '../src/tasks/registry.ts';
import type { TaggedWords } from '../src/tasks/token-classification/read-words.ts';
import { open } from '../src/use/trained/node/open.ts';
import { jsonLines, newWorkspace, refuses } from './support/commands.ts';
import { writeTinyEntities, writeTinyTagger } from './support/tiny-entities.ts';

const CONFIG = `model: tagger
defaults: huggingface
task: token_classification
data: {train: train.conll, validation: dev.jsonl, max_length: 32}
training: {learning_rate: 2e-2, num_train_epochs: 20, per_device_train_batch_size: 16}
adalora: {target_r: 6, init_r: 8, lora_alpha: 16, tinit: 10%, tfinal: 40%, deltaT: 5}
output: run
`;
const SENTENCE = 'Orlo Kelsen met Jasko in North Velburg .';
const ENTITIES = ['PER Orlo Kelsen', 'PER Jasko', 'LOC North Velburg'];

const workspace = newWorkspace();
beforeAll(() => {
  writeTinyTagger(workspace.path('tagger'));
  writeTinyEntities(workspace.path('train.conll'), 320, 1);
  writeTinyEntities(workspace.path('dev.jsonl'), 60, 2);
  writeTinyEntities(workspace.path('dev.conll'), 60, 2);
  workspace.write('run.yaml', CONFIG);
});

const named = ({ entities }: Pick<TaggedWords, 'entities'>) =>
  entities.map(({ type, text }) => `${type} ${text}`);

describe('token classification by the command', () => {
  it('a tiny model finds unseen names', async () => {
    const { code, stderr } = await workspace.train();
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
    const finish = workspace.events('run').findLast(({ type }) => type === 'finish');
    const { metrics } = finish as { metrics: Record<string, number> } & typeof finish;
    expect(metrics.eval_f1).toBeGreaterThan(0.8);
    expect(metrics.eval_accuracy).toBeGreaterThan(metrics.eval_f1!);
    expect(Object.keys(metrics).sort()).toEqual(
      ['accuracy', 'f1', 'loss', 'precision', 'recall'].map((name) => `eval_${name}`),
    );
    const scores = JSON.parse((await workspace.run('eval', 'run', 'dev.jsonl', '--json')).stdout);
    expect(scores).toMatchObject({ ...metrics, verdict: { score: 'f1', learnt: true } });
    // The same sentences in the other format.
    expect(JSON.parse((await workspace.run('eval', 'run', 'dev.conll', '--json')).stdout)).toEqual(scores);
  });

  it('predicts lines of text, columns and JSON Lines alike', async () => {
    const predict = async (input: string) => {
      const { stdout } = await workspace.runWith(input, 'predict', 'run');
      return jsonLines(stdout);
    };
    const words = SENTENCE.split(' ');
    const [typed] = await predict(`${SENTENCE}\n`);
    expect(named(typed)).toEqual(ENTITIES);
    expect(typed.words).toEqual(words);
    expect(await predict(`${JSON.stringify({ tokens: words })}\n`)).toEqual([typed]);
    workspace.write('sentence.conll', `${words.join('\n')}\n`);
    const { stdout } = await workspace.run('predict', 'run', 'sentence.conll');
    expect(JSON.parse(stdout)).toEqual(typed);
  });

  it.each([
    [['eval', 'run', 'dev.jsonl', '--text_pair', '2'], '--text_pair does not apply'],
    [['eval', 'run', 'train.tsv'], 'which was not seen'],
    [['predict', 'run', 'missing.conll'], 'missing.conll does not exist.'],
  ])('reports the errors of %j', async (args, message) => {
    await refuses(workspace.run(...args), message);
  });

  it('reports rows that cannot be learned from', async () => {
    workspace.write('bad.conll', 'a O\nb\n\nc O\nd e f\n');
    await refuses(workspace.train('data.train=bad.conll', 'output=bad'), 'bad.conll:2 has 1 column');
  });
});

it("its loss equals the graph's, the mean over first pieces", async () => {
  const trained = await open(workspace.path('run'), { model: workspace.path('tagger') });
  const { model, values, tuner } = trained.parts;
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const task = taskNamed('token_classification');
  const rows = task.files.read([textFile(workspace.path('dev.jsonl'))], {});
  const { examples, run } = task.evaluation(rows, trained.context({}), 7);
  let [sum, tokens] = [0, 0];
  for (let example = 0; example < examples.lengths.length; example += 3) {
    const { feeds, weight } = examples.batch(Int32Array.of(example, example + 1, example + 2), 0);
    sum += weight * (await program.loss(values, feeds));
    tokens += weight;
  }
  // The graph sums in 32 bits.
  expect((await run(program, values)).eval_loss).toBeCloseTo(sum / tokens, 5);
  await program.release();
  await trained.close();
});

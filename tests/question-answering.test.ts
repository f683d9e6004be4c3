import { beforeAll, describe, expect, it } from 'vitest';
import { squadV2Scores } from '../src/scores/metrics/squad/squad-v2-scores.ts';
import type { QuestionInput, SpanAnswer } from '../src/tasks/question-answering/definition.ts';
import { readQuestions } from '../src/tasks/question-answering/read-questions.ts';
import { open } from '../src/use/trained/node/open.ts';
import { newWorkspace, refuses } from './support/commands.ts';
import { tinyQuestions } from './support/tiny-questions.ts';
import { eventsOf } from './support/workspace.ts';

const CONFIG = `model: model
defaults: huggingface
task: question_answering
data: {train: train.json, validation: dev.json, max_length: 32, doc_stride: 8}
training: {learning_rate: 2e-2, num_train_epochs: 16, per_device_train_batch_size: 16}
adalora: {target_r: 6, init_r: 8, lora_alpha: 16, tinit: 10%, tfinal: 40%, deltaT: 5}
output: run
`;

const workspace = newWorkspace();
let metrics: Record<string, number>;
beforeAll(async () => {
  workspace.write('train.json', tinyQuestions(320, 1, true));
  workspace.write('dev.json', tinyQuestions(60, 2, true));
  workspace.write('run.yaml', CONFIG);
  const { code, stderr } = await workspace.train();
  expect(stderr).not.toContain('Error');
  expect(code).toBe(0);
  const finish = workspace.events('run').findLast(({ type }) => type === 'finish');
  metrics = (finish as unknown as { metrics: Record<string, number> }).metrics;
});

const CONTEXT = 'the bird sat . the dog ran . the cat swam .';

describe('question answering by the command', () => {
  it('a tiny model learns who did it, and that there may be no answer', async () => {
    expect(metrics.eval_f1).toBeGreaterThan(0.8);
    expect(metrics.eval_exact_match).toBeLessThanOrEqual(metrics.eval_f1!);
    expect(metrics.eval_best_f1).toBeGreaterThanOrEqual(metrics.eval_f1!);
    expect(metrics).toHaveProperty('eval_NoAns_f1');
    const scores = JSON.parse((await workspace.run('eval', 'run', 'dev.json', '--json')).stdout);
    expect(scores).toMatchObject({ ...metrics, verdict: { score: 'f1', learnt: true } });
    const config = JSON.parse(workspace.read('run', 'adapter', 'adapter_config.json').toString());
    expect(config).toMatchObject({ task_type: 'QUESTION_ANS' });
  });

  it('scores a file of v2.0 by the script of v2.0, even if all its questions have answers', async () => {
    const questions = JSON.parse(tinyQuestions(8, 4, false));
    workspace.write('answered.json', JSON.stringify({ ...questions, version: 'v2.0' }));
    workspace.write('v1.json', JSON.stringify(questions));
    const scores = async (train: string, validation: string) => {
      const output = `of-${train}`;
      const files = [`data.train=${train}`, `data.validation=${validation}`, `output=${output}`];
      const { code } = await workspace.train(...files, 'training.max_steps=1', 'method=lora');
      expect(code).toBe(0);
      const { metrics } = eventsOf(workspace.events(output), 'finish')[0]!;
      return Object.keys(metrics);
    };
    expect(await scores('v1.json', 'answered.json')).toContain('eval_HasAns_f1');
    expect(await scores('answered.json', 'v1.json')).not.toContain('eval_HasAns_f1');
    // A model trained on it may return no answer.
    const { stdout } = await workspace.run('eval', 'of-answered.json', 'v1.json', '--json');
    expect(JSON.parse(stdout)).toHaveProperty('eval_best_f1');
  });

  it('writes the official files, with the same scores as the evaluation', async () => {
    const { stdout } = await workspace.run('predict', 'run', 'dev.json', '--output', 'out');
    expect(stdout).toBe('The predictions are in out\n');
    const [predictions, odds] = ['predictions', 'null_odds'].map((name) =>
      JSON.parse(workspace.read('out', `${name}.json`).toString()),
    );
    const questions = readQuestions(workspace.read('dev.json').toString(), 'dev.json', 'texts');
    const { exact, f1, best_f1, best_f1_thresh, HasAns_f1 } = squadV2Scores(
      questions.map(({ id, answers }) => ({ id, answers: answers.map(({ text }) => text) })),
      new Map(Object.entries<string>(predictions)),
      { odds: new Map(Object.entries<number>(odds)) },
    );
    expect({ exact, f1, best_f1, best_f1_thresh, HasAns_f1 }).toEqual({
      exact: metrics.eval_exact_match,
      f1: metrics.eval_f1,
      best_f1: metrics.eval_best_f1,
      best_f1_thresh: metrics.eval_best_f1_thresh,
      HasAns_f1: metrics.eval_HasAns_f1,
    });
    const nbest = JSON.parse(workspace.read('out', 'nbest_predictions.json').toString());
    expect(nbest.q0.length).toBeGreaterThan(1);
  });

  it('answers a question with its position, from a line or JSON, and gives no answer below the threshold', async () => {
    const predict = async (input: string, ...flags: string[]) =>
      JSON.parse((await workspace.runWith(input, 'predict', 'run', ...flags)).stdout);
    const answer = await predict(`ran\t${CONTEXT}\n`);
    expect(answer).toMatchObject({ answer: 'dog', start: 19, end: 22 });
    expect(answer.score).toBeGreaterThan(0.3);
    const asked = JSON.stringify({ id: 'x', question: 'ran', context: CONTEXT });
    expect(await predict(asked, '--logits')).toMatchObject({ ...answer, id: 'x', nbest: expect.any(Array) });
    const none = await predict(asked, '--null-score-diff-threshold', '-1000');
    expect(none).toMatchObject({ answer: '', start: 0, end: 0 });
  });

  it('predicts in a program', async () => {
    const model = await open(workspace.path('run'), { model: workspace.path('model') });
    const answers: SpanAnswer[] = [];
    const inputs = [{ question: 'ran', context: CONTEXT }];
    for await (const answer of model.predict<QuestionInput, SpanAnswer>(inputs)) answers.push(answer);
    expect(answers).toMatchObject([{ answer: 'dog', start: 19, end: 22 }]);
    await expect(model.predict<QuestionInput>([{ question: '', context: ' ' }]).next()).rejects.toThrow(
      'question 0 has an empty "context".',
    );
    await model.close();
  });

  it.each([
    [
      ['eval', 'run', 'dev.json', '--text_pair', '2'],
      '--text_pair does not apply to task question_answering',
    ],
    [['eval', 'run', 'bad.json'], 'bad.json, question a has the answer "cow", which is not in its context.'],
    [
      ['train', 'run.yaml', '--set', 'data.doc_stride=32'],
      '`data.doc_stride` must be less than data.max_length (32)',
    ],
    [
      [
        'train',
        'run.yaml',
        '--set',
        'data.doc_stride=29',
        '--set',
        'data.train=long.json',
        '--set',
        'output=x',
      ],
      'data.doc_stride, question 0 must be less than 2',
    ],
    [['predict', 'run', 'empty.json'], 'empty.json, question 0 has an empty "context".'],
  ])('reports the errors of %j', async (args, message) => {
    const bad = { id: 'a', question: 'x', context: CONTEXT, answers: [{ text: 'cow', answer_start: 4 }] };
    workspace.write('bad.json', JSON.stringify([bad]));
    workspace.write('empty.json', JSON.stringify([{ question: 'x', context: '' }]));
    const long = { question: 'x', context: CONTEXT.repeat(9), answers: [{ text: 'the', answer_start: 0 }] };
    workspace.write('long.json', JSON.stringify([long]));
    await refuses(workspace.run(...args), message);
  });
});

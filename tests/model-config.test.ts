import { expect, it } from 'vitest';
import { newWorkspace, succeeds } from './support/commands.ts';

/* `model_config` replaces fields of the base model's config.json in a run, and in all its results. */

const workspace = newWorkspace();
const DROPOUT = 'model_config={hidden_dropout_prob: 0.4, classifier_dropout: 0.3}';
const SHORT = ['training.max_steps=4', 'training.eval_strategy=no'];

const losses = (run: string) =>
  workspace.events(run).flatMap((event) => (event.type === 'step' ? event.loss : []));

it('changes training, applies when the adapter is used, and is in the merged model', async () => {
  await succeeds(workspace.train(...SHORT, 'output=plain'));
  await succeeds(workspace.train(...SHORT, DROPOUT, 'output=changed'));
  expect(losses('changed')).not.toEqual(losses('plain'));
  const notes = JSON.parse(workspace.read('changed', 'adapter', 'adalora.json').toString());
  expect(notes.model_config).toEqual({ hidden_dropout_prob: 0.4, classifier_dropout: 0.3 });
  await succeeds(workspace.run('predict', 'changed', 'dev.tsv'));
  await succeeds(workspace.run('export', 'changed', '--as', 'merged', '-o', 'merged'));
  const merged = JSON.parse(workspace.read('merged', 'config.json').toString());
  expect(merged).toMatchObject({ hidden_dropout_prob: 0.4, classifier_dropout: 0.3 });
}, 120_000);

it('changes the shape of a model with new weights, also for predictions', async () => {
  const shape = ['model_init=random', 'model_config={num_hidden_layers: 1}', 'method=full', 'output=shallow'];
  await succeeds(workspace.train(...SHORT, ...shape));
  const config = JSON.parse(workspace.read('shallow', 'model', 'config.json').toString());
  expect(config.num_hidden_layers).toBe(1);
  await succeeds(workspace.run('predict', 'shallow', 'dev.tsv'));
}, 120_000);

it.each([
  [
    'model_config={hidden_dropout_probs: 0.1}',
    'model_config.hidden_dropout_probs is not a field of the config.json of bert. Did you mean hidden_dropout_prob',
  ],
  ['model_config={hidden_dropout_prob: 2}', 'hidden_dropout_prob'],
  ['model_config={model_type: gpt2}', 'model_config.model_type is not a field'],
  ['model_config=3', '`model_config` must be a section'],
])(
  'rejects %s',
  async (setting, message) => {
    const { code, stderr } = await workspace.train(...SHORT, setting, 'output=refused');
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    const planned = await workspace.run('plan', 'run.yaml', '--set', setting);
    expect(planned.code).toBe(2);
  },
  60_000,
);

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mlflow } from '../examples/trackers/mlflow.ts';
import { wandb } from '../examples/trackers/wandb.ts';
import { type RunConfigInput, train } from '../src/index.ts';
import { newWorkspace } from './support/commands.ts';
import { type SeenRun, TrackingServer } from './support/tracking-server.ts';
import { trainHere } from './support/train-here.ts';

const KEY = 'k'.repeat(40);
const workspace = newWorkspace();
let server: TrackingServer;
let environment: Record<string, string>;
beforeEach(async () => {
  trainHere();
  server = new TrackingServer();
  const address = await server.listen();
  environment = {
    MLFLOW_TRACKING_URI: address,
    MLFLOW_EXPERIMENT_NAME: 'cats',
    WANDB_BASE_URL: address,
    WANDB_API_KEY: KEY,
    WANDB_PROJECT: 'cats',
  };
});
afterEach(() => server.close());

const config = (output: string) =>
  ({
    model: workspace.path('model'),
    defaults: 'huggingface',
    method: 'lora',
    data: {
      train: workspace.path('train.tsv'),
      validation: workspace.path('dev.tsv'),
      text: 'sentence',
      label: 'label',
      max_length: 32,
    },
    training: { max_steps: 8, logging_steps: 1, eval_strategy: 'steps', eval_steps: 4 },
    output: workspace.path(output),
  }) satisfies RunConfigInput;
const steps = ({ metrics }: SeenRun, name: string) =>
  metrics.filter(([, key]) => key === name).map(([step]) => step);

// The examples have the types of the last build, so their events are cast.
describe.each([
  ['mlflow', mlflow, ['FINISHED', 'FAILED']],
  ['wandb', wandb, ['exit 0', 'exit 1']],
] as const)('the example for %s', (name, open, [finished, failed]) => {
  it('sends the settings, the metrics and the end of a run', async () => {
    const run = config(name);
    const tracker = open(name, { method: run.method, seed: 3 }, environment);
    const { reason } = await train(run, { onEvent: (event) => tracker.onEvent(event as never) });
    await tracker.close(reason);
    const [seen] = server.runs.values();
    expect(seen).toMatchObject({ experiment: 'cats', name, status: finished, settings: { method: 'lora' } });
    expect(steps(seen!, 'train/loss')).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(steps(seen!, 'eval/accuracy')).toEqual([4, 8]);
  });

  it('tells the server of a failure', async () => {
    await open(name, {}, environment).close(undefined);
    expect([...server.runs.values()][0]!.status).toBe(failed);
  });

  it('does not end a run if the server fails, and prints no key', async () => {
    server.failing = 503;
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const tracker = open(name, {}, environment);
    const { reason } = await train(config(`${name}-failing`), {
      onEvent: (event) => tracker.onEvent(event as never),
    });
    await tracker.close(reason);
    expect(reason).toBe('done');
    expect(printed.mock.calls).toEqual([
      [expect.stringMatching(/does not have all of this run: .* answered 503$/)],
    ]);
    expect(JSON.stringify(printed.mock.calls)).not.toContain(KEY);
    printed.mockRestore();
  });
});

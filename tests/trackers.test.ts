import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunConfigInput, type TrainEvent, train } from '../src/index.ts';
import { mlflow } from '../src/studies/report/trackers/mlflow.ts';
import { TrackerQueue } from '../src/studies/report/trackers/tracker-queue.ts';
import { wandb } from '../src/studies/report/trackers/wandb.ts';
import { type SeenRun, TrackingServer } from './support/tracking-server.ts';
import { loseThreadsAt, trainHere } from './support/train-here.ts';
import { Workspace } from './support/workspace.ts';

const KEY = 'k'.repeat(40);
let workspace: Workspace;
let server: TrackingServer;
let address: string;
beforeAll(() => {
  workspace = new Workspace();
});
afterAll(() => workspace.remove());
beforeEach(async () => {
  server = new TrackingServer();
  address = await server.listen();
  vi.stubEnv('MLFLOW_TRACKING_URI', address);
  vi.stubEnv('WANDB_BASE_URL', address);
  vi.stubEnv('WANDB_API_KEY', KEY);
  vi.stubEnv('WANDB_PROJECT', 'cats');
  vi.stubEnv('MLFLOW_EXPERIMENT_NAME', 'cats');
});
afterEach(() => {
  server.close();
  vi.unstubAllEnvs();
});

const config = (output: string, report_to: string[]) =>
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
    training: {
      max_steps: 8,
      logging_steps: 1,
      save_steps: 4,
      report_to,
      eval_strategy: 'steps',
      eval_steps: 4,
    },
    output: workspace.path(output),
  }) as RunConfigInput;
const steps = ({ metrics }: SeenRun, name = 'train/loss') =>
  metrics.filter(([, key]) => key === name).map(([step]) => step);

describe('a run with training.report_to', () => {
  // Trackers are in the thread of the caller. A training's own thread would load the program for each run.
  beforeEach(() => trainHere());

  it('is on all servers, with its settings, metrics and end', async () => {
    const notices: string[] = [];
    await train(config('all', ['tensorboard', 'wandb', 'mlflow']), {
      onEvent: (event) => event.type === 'notice' && void notices.push(event.message),
    });
    expect(notices).toEqual([expect.stringContaining('has no classifier')]);
    expect(server.runs.size).toBe(2);
    for (const run of server.runs.values()) {
      expect(run).toMatchObject({ experiment: 'cats', name: 'all' });
      expect(steps(run)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(steps(run, 'eval/accuracy')).toEqual([4, 8]);
      expect(`${run.settings['lora.r']}`).toBe('8');
    }
    const [one, other] = [...server.runs.values()].map(({ status }) => status).sort();
    expect([one, other]).toEqual(['FINISHED', 'exit 0']);
    const onWandb = [...server.runs.values()].find(({ status }) => status === 'exit 0') as SeenRun;
    expect(onWandb.summary).toMatchObject({ _step: 8, 'eval/accuracy': expect.any(Number) });
    expect(onWandb.settings['training.max_steps']).toBe(8);
    expect(server.authorizations).toContain(`Basic ${btoa(`api:${KEY}`)}`);
    expect(readdirSync(workspace.path('all', 'tensorboard'))).toHaveLength(1);
    // The key is nowhere in the run's folder.
    for (const name of ['config.yaml', 'metrics.jsonl', 'trackers.json', 'README.md'])
      expect(workspace.read('all', name).toString()).not.toContain(KEY);
  });

  it('continues on them after a stop', async () => {
    const controller = new AbortController();
    const stopping = config('stopped', ['wandb', 'mlflow']);
    await train(stopping, {
      signal: controller.signal,
      onEvent: ({ type, step }) => type === 'step' && step === 5 && controller.abort(),
    });
    expect([...server.runs.values()].map(({ status }) => status).sort()).toEqual(['KILLED', 'exit 255']);
    await train(stopping, { resume: true });
    expect(server.runs.size).toBe(2);
    for (const run of server.runs.values())
      expect([...new Set(steps(run))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...server.runs.values()].map(({ status }) => status).sort()).toEqual(['FINISHED', 'exit 0']);
  });

  it('ends as without them if they fail, with a notice for each', async () => {
    server.failing = 503;
    const events: TrainEvent[] = [];
    const finish = await train(config('failing', ['wandb', 'mlflow']), {
      onEvent: (event) => void events.push(event),
    });
    expect(finish).toMatchObject({ reason: 'done', step: 8 });
    const notices = events.flatMap((event) => (event.type === 'notice' ? event.message : []));
    for (const name of ['wandb', 'mlflow'])
      expect(notices.filter((message) => message.startsWith(name))).toEqual([
        expect.stringMatching(
          /does not get all of this run: .* answered 503: out of order. Training continues/,
        ),
      ]);
    expect(notices.join()).not.toContain(KEY);
    const plain = await train(config('plain', []));
    expect(plain.metrics.eval_loss).toBe(finish.metrics.eval_loss);
  });

  it('has failed on them if its thread dies, for example for lack of memory', async () => {
    const restore = loseThreadsAt(5, new Error('Worker terminated due to reaching memory limit'));
    const controller = new AbortController();
    const listening = vi.spyOn(controller.signal, 'removeEventListener');
    await expect(train(config('lost', ['wandb', 'mlflow']), { signal: controller.signal })).rejects.toThrow(
      'reaching memory limit',
    );
    restore();
    expect([...server.runs.values()].map(({ status }) => status).sort()).toEqual(['FAILED', 'exit 1']);
    expect(listening).toHaveBeenCalled();
    // The folder is free again.
    await train(config('lost', []), { resume: true });
  });

  it('needs their variables', async () => {
    vi.stubEnv('WANDB_API_KEY', '');
    await expect(train(config('keyless', ['wandb']))).rejects.toThrow(
      '`training.report_to` needs the environment variable WANDB_API_KEY',
    );
    vi.stubEnv('MLFLOW_TRACKING_URI', 'file:///secret');
    const started = train(config('fileless', ['mlflow']));
    await expect(started).rejects.toThrow('MLFLOW_TRACKING_URI, the http address of a server');
    await expect(started).rejects.not.toThrow('secret');
  });
});

describe('a server that fails for a while', () => {
  const point = (step: number) => ({ step, time: 1000 * step, scalars: [{ tag: 'a', value: step }] });
  const pauses = { every: 5, afterFailure: 5, end: 2000 };

  it.each([
    ['mlflow', () => mlflow(process.env)],
    ['wandb', () => wandb(process.env)],
  ])('gets what it lacks: %s', async (_, open) => {
    const failures: string[] = [];
    const host = { onFailure: (message: string) => failures.push(message), onState: () => {} };
    const queue = new TrackerQueue(open(), { name: 'x', settings: {} }, host, undefined, pauses);
    queue.add(point(1));
    await vi.waitFor(() => expect(server.runs.size).toBe(1));
    server.failing = 500;
    queue.add(point(2));
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    queue.add(point(3));
    await setTimeout(50);
    server.failing = undefined;
    await queue.close('finished');
    expect(failures).toHaveLength(1);
    const [run] = server.runs.values();
    expect(run!.metrics.map(([step]) => step)).toEqual([1, 2, 3]);
  });

  it('is given up at the end', async () => {
    const failures: string[] = [];
    const host = { onFailure: (message: string) => failures.push(message), onState: () => {} };
    const silent = { begin: () => new Promise<never>(() => {}), log: async () => {}, end: async () => {} };
    const queue = new TrackerQueue(silent, { name: 'x', settings: {} }, host, undefined, {
      ...pauses,
      end: 20,
    });
    queue.add(point(1));
    await queue.close('finished');
    expect(failures).toEqual(['no answer within 0.02 s']);
  });

  it('is asked with the name and password of its address, which no message has', async () => {
    vi.stubEnv('MLFLOW_TRACKING_URI', address.replace('//', '//me:pass%20word@'));
    await mlflow(process.env).begin({ name: 'x', settings: {} }, undefined);
    expect(server.authorizations.at(-1)).toBe(`Basic ${btoa('me:pass word')}`);
    server.close();
    const refused = mlflow(process.env).begin({ name: 'x', settings: {} }, undefined);
    await expect(refused).rejects.toThrow('did not answer');
    await expect(refused).rejects.not.toThrow('word');
  });
});

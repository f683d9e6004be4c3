import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-node';
import { InferenceSession as WebSession } from 'onnxruntime-web';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { open as openInPage, type PageConfig, train } from '../src/faces/web/index.ts';
import { disk } from '../src/input/formats/node/folder-files.ts';
import type { Measurement } from '../src/methods/tuners/method-run.ts';
import { methodNamed } from '../src/methods/tuners/registry.ts';
import { ALONE_PROCESSES } from '../src/program/parallel/communicator.ts';
import { Program } from '../src/program/program.ts';
import { encodeRun } from '../src/studies/jobs/encode-run.ts';
import { THIS_NODE } from '../src/studies/jobs/node/machine.ts';
import { readRun } from '../src/studies/jobs/read-run.ts';
import { runInFolder } from '../src/studies/jobs/run-in-folder.ts';
import { beginTraining } from '../src/studies/jobs/set-up-run.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import { Trainer, type TrainerHost } from '../src/training/train/trainer.ts';
import { AdapterFolders } from '../src/use/serving/adapter-folders.ts';
import { AdapterPlaces } from '../src/use/serving/find-adapters.ts';
import { readContent, type ServedModel } from '../src/use/serving/served-adapter.ts';
import { BaseModel } from '../src/use/serving/served-base.ts';
import { Serving } from '../src/use/serving/serving.ts';
import { models } from '../src/use/trained/node/load-model.ts';
import { open } from '../src/use/trained/node/open.ts';
import { newWorkspace } from './support/commands.ts';
import { FailingEngine, type Operation } from './support/failing-engine.mjs';
import { writeMadeAdapter } from './support/made-adapter.ts';
import { PADDED_TEXTS } from './support/plain-texts.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';

const workspace = newWorkspace();

let engine: FailingEngine;
beforeEach(() => {
  engine = new FailingEngine(InferenceSession);
});
afterEach(() => engine.restore());

const config = (output: string, more: object = {}, data: object = {}) =>
  parseRunConfig(
    {
      model: workspace.path('model'),
      method: 'lora',
      output: workspace.path(output),
      data: {
        train: workspace.path('train.tsv'),
        validation: workspace.path('dev.tsv'),
        text: 'sentence',
        label: 'label',
        max_length: 32,
        ...data,
      },
      training: { max_steps: 3, eval_strategy: 'steps', eval_steps: 1, per_device_train_batch_size: 4 },
      ...more,
    },
    'config',
  );
const PAIRS = {
  anchor: 'sentence',
  positive: 'sentence',
  text: undefined,
  label: undefined,
  validation: undefined,
};
const host: TrainerHost = { emit: () => {}, shouldStop: () => false, peakMemoryMb: () => 0 };
const load = async (more: object = {}, data: object = {}) => {
  const files = await readRun(THIS_NODE, config('unused', more, data));
  const base = await THIS_NODE.open(files, ALONE_PROCESSES, () => () => {});
  const examples = encodeRun(files, { startedAt: new Date() });
  return beginTraining({ files, base, examples }, examples.train);
};

describe('a program', () => {
  const programOf = ({ inputs }: Awaited<ReturnType<typeof load>>) => {
    const { engine, model, method, values, train } = inputs;
    const program = new Program(engine, model, method.tuner);
    const { feeds } = train.batch(Int32Array.of(0, 1), 0);
    const uses = {
      predict: () => program.predict(values, feeds),
      loss: () => program.loss(values, feeds),
      differentiate: () => program.differentiate(values, feeds, 0, 0),
      differentiateJointly: () =>
        program.differentiateJointly(values, [{ feeds, number: 0, weight: 1 }], 0).next(),
    };
    return { program, uses };
  };

  it.each(['predict', 'loss', 'differentiate'] as const)('%s: tries a failed opening again', async (use) => {
    const { program, uses } = programOf(await load());
    engine.fail('open');
    await expect(uses[use]()).rejects.toThrow('cannot open');
    await uses[use]();
    expect(engine.opened).toBe(1);
    engine.fail('run');
    await expect(uses[use]()).rejects.toThrow('cannot run');
    await uses[use]();
    await program.release();
    expect(engine.opened).toBe(0);
  });

  it.each([0, 1, 2])('of a joint loss tries session %d again if its opening has failed', async (after) => {
    const { program, uses } = programOf(
      await load({ task: 'sentence_embedding', training: { max_steps: 3 } }, PAIRS),
    );
    engine.fail('open', { after });
    await expect(uses.differentiateJointly()).rejects.toThrow('cannot open');
    await uses.differentiateJointly();
    expect(engine.opened).toBe(3);
    await program.release();
    expect(engine.opened).toBe(0);
  });

  it('that could not open or release a session releases the others', async () => {
    const { program, uses } = programOf(await load());
    await uses.differentiate();
    await uses.loss();
    engine.fail('open');
    await expect(uses.predict()).rejects.toThrow('cannot open');
    engine.fail('release');
    await expect(program.release()).rejects.toThrow('cannot release');
    expect(engine.opened).toBe(1);
    await program.release();
  });
});

describe('a training', () => {
  it.each([
    ['open', 0],
    ['open', 1],
    ['run', 0],
    ['run', 1],
    ['run', 4],
  ] as [Operation, number][])(
    'in which %s fails after %d calls releases its sessions',
    async (operation, after) => {
      const { inputs, settings } = await load();
      engine.fail(operation, { after });
      await expect(new Trainer(inputs, settings, host).run()).rejects.toThrow(`cannot ${operation}`);
      expect(engine.opened).toBe(0);
    },
  );

  it('fails with its own error, even if sessions cannot be released then', async () => {
    const { inputs, settings } = await load();
    engine.fail('run', { after: 1 });
    engine.fail('release', { times: 9 });
    await expect(new Trainer(inputs, settings, host).run()).rejects.toThrow('cannot run');
  });

  it('is restored, unless the state is of another run; errors of the engine stay as they are', async () => {
    const { inputs, settings } = await load();
    const first = new Trainer(inputs, settings, host);
    await first.run();
    const state = first.state();
    const other = { ...state, optimizer: { ...state.optimizer, m: Float32Array.of(1) } };
    const trainer = new Trainer(inputs, settings, host);
    await expect(trainer.restore(other, 'step-3')).rejects.toThrow(
      'step-3 is not a checkpoint of this run: AdamW: got 1 values',
    );
    await trainer.prepare();
    engine.fail('release');
    await expect(trainer.restore(state)).rejects.toThrow(/^the engine cannot release$/);
    await trainer.release();
  });

  const SETTLED = {
    allocation: { step: 0, budget: 1, threshold: Number.NaN, final: true, ranks: {} },
    pattern: {},
  };
  /** Measurements before the first step: of gradients, and of the inputs of modules. */
  const MEASURES: Record<string, Measurement['settle']> = {
    async gradients(_seed, initial, gradientAt) {
      await gradientAt(initial);
      return SETTLED;
    },
    async inputs(_seed, _initial, _gradientAt, inputsOf) {
      let batches = 0;
      for await (const _ of inputsOf(['bert.encoder.layer.0.output.dense'])) if (++batches === 2) break;
      return SETTLED;
    },
  };

  it.each(['gradients', 'inputs', 'nothing'])(
    'of a run that measures %s releases its sessions and its model',
    async (measured) => {
      const lora = methodNamed('lora');
      const start = lora.start.bind(lora);
      const settle = MEASURES[measured];
      vi.spyOn(lora, 'start').mockImplementation((...given) => {
        const run = start(...given);
        return settle
          ? Object.assign(run, { measurement: { tuner: run.tuner, steps: 2, measures: 'x', settle } })
          : run;
      });
      for (const [number, operation] of (['open', 'run', 'run'] as const).entries()) {
        engine.fail(operation, { after: number });
        const training = { max_steps: 3, floor: !settle };
        const options = { resume: false, onEvent: () => {}, shouldStop: () => false };
        const run = runInFolder(
          THIS_NODE,
          config(`failed-${measured}-${number}`, { method: 'lora', training }),
          options,
        );
        await expect(run).rejects.toThrow(`cannot ${operation}`);
        expect(engine.opened).toBe(0);
      }
      vi.restoreAllMocks();
    },
  );
});

describe('an opened model', () => {
  it('tries a failed opening again, and closes whatever fails', async () => {
    const folder = workspace.path('adapter');
    mkdirSync(folder);
    writeMadeAdapter(folder, workspace.path('model'), { seed: 1 });
    const model = await open(folder, { model: workspace.path('model') });
    const predicted = async () => {
      for await (const answer of model.predict([{ text: 'the cat' }])) return answer;
    };
    engine.fail('open');
    await expect(predicted()).rejects.toThrow('cannot open');
    expect(await predicted()).toMatchObject({ label: expect.any(String) });
    const close = vi.spyOn(model.parts.model, 'close');
    engine.fail('release');
    await expect(model.close()).rejects.toThrow('cannot release');
    expect(close).toHaveBeenCalled();
    await expect(predicted()).rejects.toThrow('closed');
  });

  it.each([0, 1])('of an encoder-decoder opens both sessions or none (%d)', async (after) => {
    const folder = workspace.path(`t5-${after}`);
    writeTinyTextModel(folder, 'bart');
    const model = await open(folder, { generates: true });
    const written = () => model.generate('the cat', { max_new_tokens: 2 });
    engine.fail('open', { after });
    await expect(written()).rejects.toThrow('cannot open');
    expect(engine.opened).toBe(0);
    await written();
    engine.fail('run');
    await expect(written()).rejects.toThrow('cannot run');
    await written();
    await model.close();
    expect(engine.opened).toBe(0);
  });
});

describe('serving', () => {
  async function served(model: string) {
    const base = await BaseModel.open(models, model, 'float32');
    const limits = { maxRows: 8, maxTokens: 1024, maxWait: 1, maxQueued: 64, slots: 4 };
    const serving = new Serving(base, {
      rows: { ...limits, batches: PADDED_TEXTS },
      decoding: limits,
    });
    const places = new AdapterPlaces(disk, [workspace.path('served')]);
    const folders = new AdapterFolders(
      places,
      base,
      serving,
      () => {},
      (found) => readContent(found, base),
    );
    await folders.readAll();
    return { serving, of: (name: string) => serving.models.get(name) as ServedModel };
  }

  it('answers after failures, and closes', async () => {
    for (const seed of [1, 2]) {
      mkdirSync(workspace.path('served', `a${seed}`), { recursive: true });
      writeMadeAdapter(workspace.path('served', `a${seed}`), workspace.path('model'), { seed });
    }
    const { serving, of } = await served(workspace.path('model'));
    const answers = (...names: string[]) =>
      Promise.all(names.map((name) => serving.predict(of(name), [{ text: 'the cat' }])));
    engine.fail('open');
    await expect(answers('a1')).rejects.toThrow('cannot open');
    const expected = await answers('a1', 'a2');
    // A batch that fails is computed row by row, and a single row fails alone.
    engine.fail('run');
    expect(await answers('a1', 'a2')).toEqual(expected);
    engine.fail('run');
    await expect(answers('a1')).rejects.toThrow('cannot run');
    expect(await answers('a2', 'a1')).toEqual(expected.toReversed());
    engine.fail('release');
    await expect(serving.close()).rejects.toThrow('cannot release');
  });

  it('generates after failures', async () => {
    const folder = workspace.path('generator');
    writeTinyTextModel(folder, 'llama');
    const base = await BaseModel.open(models, folder, 'float32');
    const { serving } = await served(folder);
    const { serveBase } = await import('../src/use/serving/served-adapter.ts');
    const model = (await serveBase(base))!;
    await serving.add(model);
    const written = () =>
      Promise.allSettled(
        ['a', 'b b', 'c'].map((prompt) =>
          serving.generate(model, prompt, { max_new_tokens: 4, do_sample: false }),
        ),
      );
    const expected = await written();
    expect(expected.map(({ status }) => status)).toEqual(Array(3).fill('fulfilled'));
    for (const after of [0, 1, 2, 3, 5]) {
      engine.fail('run', { after });
      const ends = await written();
      expect(ends.map(({ status }) => status)).toContain('rejected');
      engine.recover();
      expect(await written()).toEqual(expected);
    }
    await serving.close();
    expect(engine.opened).toBe(0);
  });
});

it('a model in its thread answers after a failure, and closes although a session cannot be released', () => {
  const folder = workspace.path('in-thread');
  mkdirSync(folder);
  writeMadeAdapter(folder, workspace.path('model'), { seed: 1 });
  workspace.write(
    'in-thread.mjs',
    `const { open } = await import(process.env.PROGRAM);
    const model = await open('in-thread', { model: 'model' });
    const answer = async () => { for await (const { label } of model.predict([{ text: 'the cat' }])) return label; };
    for (let i = 0; i < 4; i++) console.log(await answer().catch(({ message }) => message));
    await model.close();
    console.log('closed');`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, ['in-thread.mjs'], {
    encoding: 'utf8',
    cwd: workspace.folder,
    env: {
      ...process.env,
      NODE_OPTIONS: `--import ${new URL('./support/failing-engine.mjs', import.meta.url)}`,
      PROGRAM: `${new URL('../dist/index.js', import.meta.url)}`,
      ENGINE_FAILS: JSON.stringify({ open: {}, run: { after: 1 }, release: {} }),
    },
  });
  expect({ stdout, stderr }).toEqual({
    stdout: expect.stringMatching(
      /^the engine cannot open\n(bad|good)\nthe engine cannot run\n(bad|good)\nclosed\n$/,
    ),
    stderr: '',
  });
});

describe('a page', () => {
  let page: FailingEngine;
  beforeEach(() => {
    page = new FailingEngine(WebSession);
  });
  afterEach(() => page.restore());

  const NAMES = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
  const files = () =>
    new Map(NAMES.map((name) => [name, new Uint8Array(readFileSync(workspace.path('model', name)))]));
  const config: PageConfig = {
    model: 'base',
    method: 'lora',
    data: { train: 'rows.tsv', validation: '20%', text: 'sentence', label: 'label', max_length: 32 },
    training: { max_steps: 3, per_device_train_batch_size: 4 },
  };
  const trained = () =>
    train(config, { model: files(), files: { 'rows.tsv': workspace.read('train.tsv').toString() } });

  it.each([
    ['open', 0],
    ['open', 1],
    ['run', 0],
    ['run', 4],
  ] as [Operation, number][])(
    'in which %s fails after %d calls has no session left, and trains again',
    async (operation, after) => {
      page.fail(operation, { after });
      await expect(trained()).rejects.toThrow(`cannot ${operation}`);
      expect(page.opened).toBe(0);
      const result = await trained();
      expect(page.opened).toBe(0);
      const model = await openInPage(result, { model: files() });
      page.fail('open');
      const predicted = async () => {
        for await (const answer of model.predict([{ text: 'the cat' }])) return answer;
      };
      await expect(predicted()).rejects.toThrow('cannot open');
      await predicted();
      await model.close();
      expect(page.opened).toBe(0);
    },
  );
});

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ClassAnswer, OwnMetric } from '../src/index.ts';
import { newWorkspace } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyModel } from './support/tiny-model.ts';
import { eventsOf } from './support/workspace.ts';

const EXAMPLE = 'examples/train.ts';
const workspace = newWorkspace();

describe('the library', () => {
  it('trains and predicts as its example shows', () => {
    // The example's names, relative to the current folder: the model's Hub id is a folder here.
    writeTinyModel(workspace.path('sentence-transformers', 'all-MiniLM-L6-v2'));
    mkdirSync(workspace.path('shop'));
    const lines = tinyRows(160, 1).map(({ text, label }) => `${text}\t${label}\n`);
    workspace.write('shop/train.tsv', `text\tlabel\n${lines.join('')}`);
    const home = workspace.path('home');
    // As on a user's machine: with CI set, the engine collects nothing anyway.
    const env = { ...process.env, CI: undefined, ORT_DISABLE_TELEMETRY: undefined };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), resolve(EXAMPLE)],
      {
        cwd: workspace.folder,
        encoding: 'utf8',
        timeout: 300_000,
        env: { ...env, HOME: home, XDG_CACHE_HOME: home },
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // The place of the engine's telemetry, with an id of this machine.
    expect(existsSync(join(home, 'Microsoft'))).toBe(false);
    expect(stdout).toContain('eval_accuracy');
    expect(stdout).toMatch(/^(good|bad) \{ bad: [\d.e-]+, good: [\d.e-]+ \}$/m);
    expect(existsSync(workspace.path('runs', 'shop', 'adapter', 'adapter_config.json'))).toBe(true);
  });

  it('starts its threads in a program that came as text, whose kind is a flag of Node', () => {
    const program = `import { open, train } from ${JSON.stringify(pathToFileURL(resolve('dist/index.js')).href)};
      const data = { train: 'train.tsv', text: 'sentence', label: 'label', max_length: 32 };
      const config = { model: 'model', data, method: 'lora', output: 'typed', training: { max_steps: 1 } };
      await train(config);
      const model = await open(config);
      console.log((await model.predict([{ text: 'a cat .' }]).next()).value.label);`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { cwd: workspace.folder, encoding: 'utf8', timeout: 100_000 },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^(good|bad)\n$/);
  });

  it('has the same example in the README', () => {
    expect(readFileSync('README.md', 'utf8')).toContain(`\`\`\`ts\n${readFileSync(EXAMPLE, 'utf8')}\`\`\`\n`);
  });

  it('throws errors of the user as its own error class, and stops on a signal', async () => {
    const { train, UserError } = await import('adalora');
    const data = { train: workspace.path('train.tsv'), text: 'sentence', label: 'label', max_length: 32 };
    const config = {
      model: workspace.path('model'),
      data,
      method: 'lora',
      output: workspace.path('out'),
    } as const;
    await expect(train({ ...config, data: { ...data, text: 'sentense' } })).rejects.toThrow(UserError);
    for (const [wrong, message] of [
      [null, '`data` is required'],
      ['rows.tsv', '`data` must be a section with keys, got "rows.tsv"'],
      [{ ...data, train: 'x'.repeat(5000) }, 'ENAMETOOLONG'],
      [{ ...data, train: '\0' }, 'file system cannot use a path with a null byte'],
    ] as const) {
      const started = train({ ...config, data: wrong as typeof data });
      await expect(started).rejects.toThrow(UserError);
      await expect(started).rejects.toThrow(message);
    }
    const controller = new AbortController();
    const onEvent = ({ type }: { type: string }) => type === 'step' && controller.abort();
    const training = { num_train_epochs: 1000, logging_steps: 1 };
    const finish = await train({ ...config, training }, { signal: controller.signal, onEvent });
    expect(finish.reason).toBe('stopped');
    expect(finish.step).toBeLessThan(5000);
  });

  it('without the addon, trains on WebAssembly, and warns of rows that are not English', () => {
    const words = ['Paket', 'Rechnung', 'Bestellung', 'Lieferung', 'Ware', 'Gutschrift'];
    const rows = Array.from({ length: 24 }, (_, i) =>
      i % 2
        ? `Die ${words[i % 6]} ${i} ist noch nicht da,retour`
        : `Ich habe eine Frage zu der ${words[i % 6]} ${i},frage`,
    );
    workspace.write('german.csv', `text,label\n${rows.join('\n')}\n`);
    const run = (...args: string[]) => {
      const words = ['--no-addons', resolve('dist/cli/main.js'), ...args];
      return spawnSync(process.execPath, words, { cwd: workspace.folder, encoding: 'utf8' });
    };
    const { status, stdout, stderr } = run(
      'train',
      'german.csv',
      '--set',
      'training.max_steps=4',
      '-o',
      'german',
    );
    expect(stderr).toContain('So the device is wasm.');
    expect(status, stderr).toBe(0);
    const warning = 'The rows do not look English, and the built-in encoder reads only English.';
    expect(stdout).toContain(warning);
    expect(workspace.read('german', 'README.md').toString()).toContain(warning);
    run('report', 'german');
    expect(workspace.read('german', 'report.html').toString()).toContain(warning);
  });

  it('stopped before its first step, a run resumes to the same adapter', async () => {
    const { train } = await import('adalora');
    const data = { train: workspace.path('train.tsv'), text: 'sentence', label: 'label', max_length: 32 };
    const config = (output: string) =>
      ({
        model: workspace.path('model'),
        data,
        output: workspace.path(output),
        training: { max_steps: 20 },
      }) as const;
    await expect(train(config('unread'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(existsSync(workspace.path('unread'))).toBe(false);
    const controller = new AbortController();
    const onEvent = ({ type }: { type: string }) => type === 'start' && controller.abort();
    expect(await train(config('unbegun'), { signal: controller.signal, onEvent })).toMatchObject({
      reason: 'stopped',
      step: 0,
    });
    for (const output of ['unbegun', 'begun'])
      expect(await train(config(output), { resume: true })).toMatchObject({ reason: 'done', step: 20 });
    const adapter = (run: string) => workspace.read(run, 'adapter', 'adapter_model.safetensors');
    expect(adapter('unbegun').equals(adapter('begun'))).toBe(true);
    const logOf = (run: string) =>
      workspace
        .events(run)
        // Progress is reported once a second, which depends on the machine.
        .filter(({ type }) => !['start', 'progress', 'checkpoint', 'finish'].includes(type))
        .map(({ type, step }) => `${type} ${step}`);
    expect(logOf('unbegun')).toEqual(logOf('begun'));
  });

  it('trains on rows in memory as on a file of them, and resumes with them', async () => {
    const { plan, train } = await import('adalora');
    const rows = tinyRows(40, 1);
    const text = (some: readonly object[]) => some.map((row) => `${JSON.stringify(row)}\n`).join('');
    workspace.write('rows.jsonl', text(rows));
    workspace.write('dev.jsonl', text(rows.slice(0, 8)));
    const columns = { text: 'text', label: 'label', max_length: 32 } as const;
    const shared = { model: workspace.path('model'), method: 'lora', training: { max_steps: 3 } } as const;
    const inMemory = { ...columns, train: rows, validation: { train: rows.slice(0, 8) } };
    const files = {
      ...columns,
      train: workspace.path('rows.jsonl'),
      // A set may be called train: its rows are other rows.
      validation: { train: workspace.path('dev.jsonl') },
    };
    const one = { ...shared, data: inMemory, output: workspace.path('memory') };
    expect((await plan(one)).steps).toBe(3);
    const [memory, disk] = [
      await train(one),
      await train({ ...shared, data: files, output: workspace.path('disk') }),
    ];
    expect(memory.metrics.eval_loss).toBe(disk.metrics.eval_loss);
    const adapter = (run: string) => workspace.read(run, 'adapter', 'adapter_model.safetensors');
    expect(adapter('memory').equals(adapter('disk'))).toBe(true);
    // Finished, and recognized by its rows, which may come one after another.
    const readable = {
      ...inMemory,
      train: (async function* () {
        yield* rows;
      })(),
    };
    expect((await train({ ...one, data: readable }, { resume: true })).step).toBe(3);
    const others = { ...one, data: { ...inMemory, train: rows.slice(1) } };
    await expect(train(others, { resume: true })).rejects.toThrow('other content in the data files');
  });

  it('fails with an error of onEvent, after a checkpoint', async () => {
    const { train } = await import('adalora');
    // Rows held out: cross-validation would take all of its own steps before the first event `step`.
    const data = {
      train: workspace.path('train.tsv'),
      validation: '10%',
      text: 'sentence',
      label: 'label',
      max_length: 32,
    };
    const config = {
      model: workspace.path('model'),
      data,
      method: 'lora',
      output: workspace.path('thrown'),
    } as const;
    const training = { num_train_epochs: 1000, logging_steps: 1 };
    const mistake = new Error('mine');
    const onEvent = ({ type, step }: { type: string; step: number }) => {
      if (type === 'step' && step >= 3) throw mistake;
    };
    await expect(train({ ...config, training }, { onEvent })).rejects.toBe(mistake);
    expect(readdirSync(workspace.path('thrown', 'checkpoints'))).toHaveLength(1);
    expect(existsSync(workspace.path('thrown', '.lock'))).toBe(false);
    // Also after the last event if it is asynchronous.
    const late = async (event: { type: string; step: number }) => {
      await Promise.resolve();
      onEvent(event);
    };
    const again = { ...config, output: workspace.path('rejected'), training };
    await expect(train(again, { onEvent: late })).rejects.toBe(mistake);
    expect(readdirSync(workspace.path('rejected', 'checkpoints'))).toHaveLength(1);
    const atEnd = async ({ type }: { type: string }) => {
      await setTimeout(200);
      if (type === 'finish') throw mistake;
    };
    const short = { ...again, output: workspace.path('ended'), training: { max_steps: 2 } };
    await expect(train(short, { onEvent: atEnd })).rejects.toBe(mistake);
  });

  it('computes custom scores, and selects the best model by one', async () => {
    const { open, plan, train, UserError } = await import('adalora');
    const data = {
      train: workspace.path('train.tsv'),
      validation: workspace.path('dev.tsv'),
      text: 'sentence',
      label: 'label',
      max_length: 32,
    };
    const share = (predictions: readonly ClassAnswer[], references: readonly string[]) =>
      predictions.filter(({ label }, i) => label === references[i]).length / references.length;
    let asked = 0;
    const config = {
      model: workspace.path('model'),
      data: { ...data, pooling: 'none' },
      method: 'lora',
      // Each worse than the previous one, so that the first is the best; a loss by its name alone.
      metrics: { share, falling_loss: async () => -asked++ },
      training: {
        max_steps: 6,
        eval_strategy: 'steps',
        eval_steps: 2,
        metric_for_best_model: 'falling_loss',
        load_best_model_at_end: true,
      },
      output: workspace.path('own'),
    } as const;
    expect((await plan(config)).steps).toBe(6);
    const { metrics } = await train(config);
    expect(metrics.eval_falling_loss).toBe(-0);
    expect(metrics.eval_share).toBe(metrics.eval_accuracy);
    const evaluations = eventsOf(workspace.events('own'), 'evaluation');
    expect(evaluations.map(({ step, best }) => [step, best])).toEqual([
      [2, true],
      [4, false],
      [6, false],
    ]);
    await using model = await open(config);
    const scores = await model.evaluate({ data: workspace.path('dev.tsv'), metrics: { share } });
    expect(scores.eval_share).toBe(metrics.eval_share);
    const taken = model.evaluate({ data: workspace.path('dev.tsv'), metrics: { accuracy: share } });
    await expect(taken).rejects.toThrow('`metrics.accuracy` is the name of a built-in score');

    // Finished, and resumed although it has a custom score.
    expect(
      (await train({ ...config, training: { ...config.training, max_steps: 8 } }, { resume: true })).step,
    ).toBe(8);

    // With scores that are not numbers, there is no best model, and the run says so.
    const notices: string[] = [];
    const nowhere = {
      ...config,
      metrics: { falling_loss: () => Number.NaN },
      output: workspace.path('nowhere'),
    };
    await train(nowhere, {
      onEvent: (event) => void (event.type === 'notice' && notices.push(event.message)),
    });
    expect(eventsOf(workspace.events('nowhere'), 'evaluation').map(({ best }) => best)).not.toContain(true);
    expect(notices).toContainEqual(expect.stringContaining('No evaluation had a finite eval_falling_loss'));

    const mistake = new Error('mine');
    const failing = (metric: OwnMetric, name = 'falling_loss') =>
      train({ ...config, metrics: { [name]: metric }, output: workspace.path('failing') });
    const thrown = failing(() => {
      throw mistake;
    });
    await expect(thrown).rejects.toBe(mistake);
    await expect(async () => failing(share, 'accuracy')).rejects.toThrow(UserError);
  });
});

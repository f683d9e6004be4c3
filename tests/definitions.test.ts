import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { newWorkspace } from './support/commands.ts';
import { runTypeScript } from './support/run-typescript.ts';
import { tinyRows } from './support/tiny-data.ts';

/** Trains with the examples' method and task, resumes, and opens the result. */
const PROGRAM = `
import { open, train, type RunConfigInput } from 'adalora';
import './method.js';
import './task.js';

const [, , output, steps, stop] = process.argv;
const config: RunConfigInput = {
  model: 'model',
  defaults: 'huggingface',
  task: 'robust_regression',
  data: { train: 'train.jsonl', validation: 'dev.jsonl', text: 'text', label: 'score', max_length: 32 },
  method: 'output_scale',
  output_scale: { target_modules: ['query', 'value'] },
  training: { max_steps: Number(steps ?? 12), logging_steps: 1, per_device_train_batch_size: 8 },
  output: output ?? 'whole',
};
const controller = new AbortController();
const finish = await train(config, {
  resume: true,
  signal: controller.signal,
  onEvent: ({ type, step }) => {
    if (type === 'step' && step === Number(stop)) controller.abort();
  },
});
if (finish.reason === 'stopped') process.exit();
const model = await open(config);
const { value: answer } = await model.predict([{ text: 'the cat is good .' }]).next();
console.log(JSON.stringify({ task: model.task, answer, metrics: finish.metrics }));
await model.close();
`;

const workspace = newWorkspace();
let whole: { task: string; answer: { label: number }; metrics: Record<string, number> };
beforeAll(() => {
  for (const name of ['method.ts', 'task.ts']) copyFileSync(`examples/${name}`, workspace.path(name));
  const text = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  workspace.write('train.jsonl', text(tinyRows(64, 1)));
  workspace.write('dev.jsonl', text(tinyRows(16, 2)));
  whole = JSON.parse(runTypeScript(workspace.folder, 'main', PROGRAM));
});

function again(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['main.js', ...words], {
    cwd: workspace.folder,
    encoding: 'utf8',
    env: { ...process.env, HF_HUB_OFFLINE: '1' },
  });
  return { status, stdout, stderr };
}

describe('a method and a task of a program', () => {
  it('train, and predict from the run', () => {
    expect(whole.task).toBe('robust_regression');
    expect(whole.answer.label).toEqual(expect.any(Number));
    expect(Object.keys(whole.metrics)).toEqual(expect.arrayContaining(['eval_loss', 'eval_mae']));
    const config = JSON.parse(workspace.read('whole', 'adapter', 'adapter_config.json').toString());
    expect(config).toMatchObject({
      peft_type: 'OUTPUT_SCALE',
      settings: { target_modules: ['query', 'value'] },
    });
    expect(workspace.read('whole', 'README.md').toString()).toContain('Output scale');
  });

  it('resume with the same modules only, and end in the same bytes', () => {
    expect(again('stopped', '12', '5')).toEqual({ status: 0, stdout: '', stderr: '' });
    for (const name of ['method.js', 'task.js']) {
      const before = workspace.read(name).toString();
      workspace.write(name, `${before}\n// another definition`);
      const { stderr } = again('stopped');
      workspace.write(name, before);
      expect(stderr).toContain('or the modules that define its method and task');
    }
    expect(again('stopped')).toMatchObject({ status: 0, stderr: '' });
    const adapter = (run: string) => workspace.read(run, 'adapter', 'adapter_model.safetensors');
    expect(adapter('stopped').equals(adapter('whole'))).toBe(true);
  });

  it('are known to commands that import their modules first', async () => {
    const args = ['eval', 'stopped', 'dev.jsonl', '--json'] as const;
    const unknown = await workspace.run(...args);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('got "OUTPUT_SCALE"') });
    const { ended } = workspace.start(args, {
      env: { NODE_OPTIONS: '--import ./method.js --import ./task.js' },
    });
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout).eval_loss).toBeCloseTo(whole.metrics.eval_loss!, 6);
  });
});

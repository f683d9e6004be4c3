import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Tokenizer } from 'tokenizers';
import { beforeAll, describe, expect, it } from 'vitest';
import { newWorkspace, succeeds } from './support/commands.ts';
import { comparableLog } from './support/comparable-log.ts';
import { readSafetensors } from './support/safetensors-file.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyTextModel } from './support/tiny-text-model.ts';
import { type Ended, eventsOf } from './support/workspace.ts';

const workspace = newWorkspace();

const common = `defaults: huggingface
training: {learning_rate: 4e-2, num_train_epochs: 4, per_device_train_batch_size: 4, logging_steps: 3}
adalora: {target_r: 2, init_r: 4, lora_alpha: 16, tinit: 10%, tfinal: 30%, deltaT: 2, lora_dropout: 0.1}
lora: {r: 4}
`;
const config = (model: string, task: string, data: string) =>
  `model: ${model}\ntask: ${task}\ndata: ${data}\n${common}`;

beforeAll(() => {
  for (const family of ['gpt2', 'llama', 'bert'] as const)
    writeTinyTextModel(workspace.path(family), family, { initializer_range: 0.1 });
  const save = (name: string, lines: string[]) => workspace.write(name, `${lines.join('\n')}\n`);
  for (const [name, count, seed] of [
    ['train', 160, 1],
    ['dev', 48, 2],
  ] as const) {
    const rows = tinyRows(count, seed);
    save(
      `${name}.txt`,
      rows.map(({ text }) => text),
    );
    const prompt = ({ text }: (typeof rows)[0]) => `${text} That is`;
    save(
      `${name}.jsonl`,
      rows.map((row) => JSON.stringify({ prompt: prompt(row), completion: ` ${row.label}.` })),
    );
    const messages = (row: (typeof rows)[0]) => [
      { role: 'user', content: prompt(row) },
      { role: 'assistant', content: row.label },
    ];
    save(
      `${name}-chat.jsonl`,
      rows.map((row) => JSON.stringify({ messages: messages(row) })),
    );
  }
  workspace.write(
    'text.yaml',
    config('gpt2', 'causal_lm', '{train: train.txt, validation: dev.txt, sample_by: line, max_length: 64}'),
  );
  workspace.write(
    'prompts.yaml',
    config('llama', 'causal_lm', '{train: train.jsonl, validation: dev.jsonl, max_length: 64}'),
  );
  workspace.write(
    'chat.yaml',
    config('llama', 'causal_lm', '{train: train-chat.jsonl, validation: dev-chat.jsonl, max_length: 64}'),
  );
  workspace.write(
    'masks.yaml',
    config(
      'bert',
      'masked_lm',
      '{train: train.txt, validation: dev.txt, sample_by: line, whole_word_mask: true}',
    ),
  );
});

const set = (output: string, settings: readonly string[]) =>
  [`output=${output}`, ...settings].flatMap((setting) => ['--set', setting]);

/** Trains with a config and settings into a new folder. Returns the log's events by type. */
async function trained(file: string, output: string, ...settings: string[]) {
  await succeeds(workspace.run('train', file, ...set(output, settings)));
  const events = workspace.events(output);
  return {
    start: eventsOf(events, 'start')[0]!,
    steps: eventsOf(events, 'step'),
    evaluations: eventsOf(events, 'evaluation'),
    finish: eventsOf(events, 'finish')[0]!,
  };
}

const json = ({ code, stdout, stderr }: Ended) => {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
};

describe.each([
  ['text.yaml', 'dev.txt', 'adalora', []],
  ['prompts.yaml', 'dev.jsonl', 'lora', ['method=lora']],
  ['chat.yaml', 'dev-chat.jsonl', 'adalora', []],
  ['masks.yaml', 'dev.txt', 'adalora', []],
])('%s', (file, dev, method, settings) => {
  const output = file.replace('.yaml', '');
  let run: Awaited<ReturnType<typeof trained>>;
  beforeAll(async () => {
    run = await trained(file, output, ...settings);
  });

  it('learns', () => {
    const { steps, evaluations, finish } = run;
    expect(steps.at(-1)!.loss).toBeLessThan(0.95 * steps[0]!.loss);
    const { eval_loss, eval_perplexity } = evaluations.at(-1)!;
    expect(eval_loss).toBeLessThan(evaluations[0]!.eval_loss!);
    expect(eval_perplexity).toBeCloseTo(Math.exp(eval_loss!), 10);
    expect(finish).toMatchObject({ reason: 'done', metrics: { eval_loss, eval_perplexity } });
  });

  it('agrees with its plan', async () => {
    const plan = json(await workspace.run('plan', file, '--json', ...set('planned', settings)));
    expect(plan).toMatchObject({
      steps: run.start.total_steps,
      trainableParameters: run.start.trainable_parameters,
      adapterParameters: run.start.adapter_parameters,
    });
    expect(plan.tokens).toBeGreaterThan(1000);
    expect(plan.memoryMb).toBeGreaterThan(200);
  });

  it('writes an adapter that scores as in the run, and so do its merged model and its LoRA form', async () => {
    const score = async (folder: string) => json(await workspace.run('eval', folder, dev, '--json'));
    const { eval_loss, eval_perplexity } = run.evaluations.at(-1)!;
    const scores = await score(output);
    expect(Object.keys(scores)).toEqual(['eval_loss', 'eval_perplexity', 'verdict']);
    expect(scores.eval_loss).toBeCloseTo(eval_loss!, 5);
    expect(scores.eval_perplexity / eval_perplexity!).toBeCloseTo(1, 4);
    const merged = `${output}-merged`;
    expect(await workspace.run('export', output, '--as', 'merged', '-o', merged)).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect((await score(merged)).eval_loss).toBeCloseTo(eval_loss!, 4);
    if (method === 'lora') return;
    const lora = `${output}-lora`;
    await succeeds(workspace.run('export', output, '--as', 'lora', '-o', lora));
    expect((await score(lora)).eval_loss).toBeCloseTo(eval_loss!, 4);
  });

  it('has metadata for PEFT and a card', async () => {
    const adapter = JSON.parse(String(workspace.read(output, 'adapter', 'adapter_config.json')));
    expect(adapter).toMatchObject({
      task_type: file === 'masks.yaml' ? null : 'CAUSAL_LM',
      modules_to_save: null,
    });
    const notes = JSON.parse(String(workspace.read(output, 'adapter', 'adalora.json')));
    expect(notes).toMatchObject({ task: file === 'masks.yaml' ? 'masked_lm' : 'causal_lm', labels: [] });
    const card = String(workspace.read(output, 'README.md'));
    expect(card).toContain(file === 'masks.yaml' ? 'AutoModelForMaskedLM' : 'AutoModelForCausalLM');
    expect(card).toContain('| Perplexity |');
    expect(json(await workspace.run('inspect', output, '--json'))).toMatchObject({ ranks: run.finish.ranks });
  });

  it('predicts no classes', async () => {
    const { code, stderr } = await workspace.run('predict', output, dev);
    expect(code).toBe(2);
    expect(stderr).toContain('is a model for');
    expect(stderr.includes('adalora generate')).toBe(file !== 'masks.yaml');
  });
});

it('chats have the template of their training in every folder, for programs that pass tools', async () => {
  await succeeds(workspace.run('export', 'chat', '--as', 'onnx', '-o', 'chat-onnx'));
  const read = (...names: string[]) => String(workspace.read(...names));
  const base: string = JSON.parse(read('llama', 'tokenizer_config.json')).chat_template;
  const template = read('chat', 'adapter', 'chat_template.jinja');
  expect(template).toMatch(/^\{%- if tools %\}/);
  expect(template.endsWith(base)).toBe(true);
  for (const folder of ['chat-merged', 'chat-lora', 'chat-onnx'])
    expect(read(folder, 'chat_template.jinja')).toBe(template);
  // The one that transformers.js reads.
  expect(JSON.parse(read('chat-onnx', 'tokenizer_config.json')).chat_template).toBe(template);
  expect(readdirSync(workspace.path('prompts', 'adapter'))).not.toContain('chat_template.jinja');
});

it('is compared with its tokens counted', async () => {
  const events = workspace.events('text');
  const start = eventsOf(events, 'start')[0]!;
  const finish = eventsOf(events, 'finish')[0]!;
  const tokenizer = Tokenizer.fromFile(workspace.path('text-merged', 'tokenizer.json'));
  const END = 0;
  const idsOf = (file: string) =>
    Promise.all(
      String(workspace.read(file))
        .trimEnd()
        .split('\n')
        .map(async (line) => [...(await tokenizer.encode(line)).getIds(), END]),
    );
  const dev = await idsOf('dev.txt');
  const count = dev.reduce((sum, ids) => sum + ids.length - 1, 0);
  // Each token's share of the training tokens, with one added to every count.
  const learnt = (await idsOf('train.txt')).flatMap((ids) => ids.slice(1));
  const { vocab_size } = JSON.parse(String(workspace.read('text-merged', 'config.json')));
  const share = (id: number) =>
    (1 + learnt.filter((other) => other === id).length) / (learnt.length + vocab_size);
  const unigrams = dev
    .flatMap((ids) => ids.slice(1))
    .reduce((total, id) => total - Math.log(share(id)) / count, 0);
  const baseline = { name: 'a unigram model', value: expect.closeTo(unigrams, 10), is_blind: true };
  expect(start.to_beat).toEqual([baseline]);
  expect(finish.verdict!.to_beat).toMatchObject([baseline, { name: 'the model before training' }]);
});

it('scores an adapter from PEFT, which has no notes', async () => {
  const score = async () => json(await workspace.run('eval', 'prompts', 'dev.jsonl', '--json'));
  const { eval_loss } = await score();
  rmSync(workspace.path('prompts', 'adapter', 'adalora.json'));
  expect((await score()).eval_loss).toBeCloseTo(eval_loss, 5);
});

it('rejects flags for labeled rows, and accepts those for text', async () => {
  const refused = await workspace.run('eval', 'text', 'dev.txt', '--label', 'x');
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('--label does not apply to task causal_lm.');
  workspace.write('named.jsonl', '{"body": "the cat sat on the mat."}\n');
  await succeeds(workspace.run('eval', 'text', 'named.jsonl', '--text', 'body'));
});

describe('pretraining from scratch', () => {
  const settings = ['method=full', 'model_init=random', 'model=empty', 'training.learning_rate=3e-3'];

  it('needs no checkpoint, and gives a model for other tasks', async () => {
    writeTinyTextModel(workspace.path('empty'), 'bert', { initializer_range: 0.1 });
    workspace.delete('empty', 'model.safetensors');
    const missing = await workspace.run(
      'train',
      'masks.yaml',
      ...set('missing', ['model=empty', 'method=full']),
    );
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('empty has no weights (model.safetensors');

    const { steps, evaluations } = await trained('masks.yaml', 'pretrained', ...settings);
    expect(steps.at(-1)!.loss).toBeLessThan(0.8 * steps[0]!.loss);
    const notice = workspace.events('pretrained').find(({ type }) => type === 'notice');
    expect(notice).toMatchObject({ message: 'All weights are new (model_init: random).' });
    expect(readdirSync(workspace.path('pretrained', 'model')).sort()).toEqual([
      'adalora.json',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const made = JSON.parse(String(workspace.read('pretrained', 'model', 'config.json')));
    expect(made.architectures).toEqual(['BertForMaskedLM']);
    expect(made.problem_type).toBeUndefined();
    const scores = json(await workspace.run('eval', 'pretrained', 'dev.txt', '--json'));
    expect(scores.eval_loss).toBeCloseTo(evaluations.at(-1)!.eval_loss!, 5);

    // Its encoder with a new head for classes.
    const classes = await workspace.train('model=pretrained/model', 'output=on-top', 'training.max_steps=12');
    expect(classes).toMatchObject({ code: 0, stderr: '' });
    expect(classes.stdout).toMatch(/The base model has no .*classifier, so/);
  });

  it('starts from values drawn by the seed', async () => {
    const first = async (output: string, seed: number) => {
      await trained(
        'masks.yaml',
        output,
        ...settings,
        `seed=${seed}`,
        'training.max_steps=1',
        'training.eval_strategy=no',
      );
      return readSafetensors(workspace.path(output, 'model', 'model.safetensors')).get(
        'bert.embeddings.word_embeddings.weight',
      )!.data;
    };
    const [a, b, c] = [await first('seed-0', 0), await first('seed-0-again', 0), await first('seed-1', 1)];
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
  });

  it('is for whole models', async () => {
    const refused = await workspace.run('train', 'masks.yaml', ...set('no', ['model_init=random']));
    expect(refused.stderr).toContain('`model_init` cannot be random with method');
  });
});

describe.each(['text.yaml', 'masks.yaml'])('%s, stopped and resumed', (file) => {
  const settings = [
    'training.num_train_epochs=3',
    'training.gradient_accumulation_steps=2',
    'training.save_steps=5',
    'training.logging_steps=3',
  ];

  it('equals an uninterrupted run, bit for bit', async () => {
    const name = file.replace('.yaml', '');
    const [whole, parts] = [`${name}-whole`, `${name}-parts`];
    await trained(file, whole, ...settings);
    const args = ['train', file, ...set(parts, settings)];
    await workspace.killAt({ type: 'step', step: 9 }, args);
    const stopped = await workspace.interruptAt({ type: 'step', step: 12 }, 'SIGTERM', [...args, '--resume']);
    expect(stopped.code).toBe(130);
    await succeeds(workspace.run(...args, '--resume'));
    expect(comparableLog(workspace, parts, ['checkpoint'])).toEqual(
      comparableLog(workspace, whole, ['checkpoint']),
    );
    const weights = (output: string) => workspace.read(output, 'adapter', 'adapter_model.safetensors');
    expect(weights(parts).equals(weights(whole))).toBe(true);
  });

  it('rejects other data', async () => {
    const name = file.replace('.yaml', '');
    writeFileSync(workspace.path('other.txt'), 'the cat sat.\n'.repeat(50));
    const args = ['train', file, ...set(`${name}-parts`, [...settings, 'data.train=other.txt']), '--resume'];
    const { stderr } = await workspace.run(...args);
    expect(stderr).toContain('holds a run with other');
  });
});

it('accepts a folder of texts, and reports an invalid row', async () => {
  mkdirSync(workspace.path('texts'));
  workspace.write('texts/a.txt', '\ufeffthe cat sat.\r\nthe dog ran.\r\n');
  workspace.write('texts/b.jsonl', '{"text": "the bird flew."}\n');
  const plan = async (train: string) =>
    json(
      await workspace.run('plan', 'text.yaml', '--json', ...set('p', [`data.train=${train}`, 'method=lora'])),
    );
  const [both, a, b] = [await plan('texts'), await plan('texts/a.txt'), await plan('texts/b.jsonl')];
  expect(both.tokens).toBe(a.tokens + b.tokens);

  workspace.write('one.jsonl', '{"prompt": "a", "completion": "b"}\n{"prompt": "a"}\n');
  const bad = await workspace.run('train', 'prompts.yaml', ...set('bad', ['data.train=one.jsonl']));
  expect(bad).toMatchObject({
    code: 2,
    stderr: 'one.jsonl:2 needs a string in "completion", got nothing.\n',
  });
});

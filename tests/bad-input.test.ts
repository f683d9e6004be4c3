import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../src/input/formats/encode-safetensors.ts';
import type { StoredTensor } from '../src/input/formats/tensor-data.ts';
import { newWorkspace } from './support/commands.ts';
import { readSafetensors } from './support/safetensors-file.ts';
import { writeTinyModel } from './support/tiny-model.ts';

const workspace = newWorkspace();

/** A model folder `broken` with one changed file (or removed, if the change returns undefined). */
function breakModel(file: string, change: (content: Buffer) => string | Uint8Array | undefined): void {
  writeTinyModel(workspace.path('broken'));
  const changed = change(workspace.read('broken', file));
  if (changed === undefined) workspace.delete('broken', file);
  else writeFileSync(workspace.path('broken', file), changed);
}

const breakConfig = (fields: object) =>
  breakModel('config.json', (text) => JSON.stringify({ ...JSON.parse(String(text)), ...fields }));

function breakTensors(change: (tensors: Map<string, StoredTensor>) => void): void {
  breakModel('model.safetensors', () => {
    const tensors = readSafetensors(workspace.path('broken', 'model.safetensors'));
    change(tensors);
    return Buffer.concat([...encodeSafetensors(tensors)]);
  });
}

/** A safetensors file with this header over `bytes` bytes of data. */
function withHeader(header: object, bytes: number): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(bytes)]);
}

const HEADER = 'sentence\tlabel\n';
const data = (content: string) => () => workspace.write('bad.tsv', content);
const BROKEN = ['model=broken'];
const DATA = ['data.train=bad.tsv'];
const QUERY = 'encoder.layer.0.attention.self.query.weight';

/** The problem, its preparation, and the settings that trigger it. The message is a snapshot. */
const cases: [name: string, prepare: () => void, settings: string[]][] = [
  ['no model folder', () => {}, ['model=modle']],
  [
    'many things at once',
    () => {},
    [
      ...['tusk=x', 'model=./no/such/model', 'data.train=no.tsv', 'data.label=lable'],
      ...['training.learning_rate=fast', 'training.max_steps=10', 'adalora.tinit=8', 'adalora.tfinal=8'],
    ],
  ],
  ['a model that is neither folder nor id', () => {}, ['model=./no/such/model']],
  ['a model id when offline', () => {}, ['model=owner/name']],
  ['a model that is a file', () => {}, ['model=train.tsv']],
  ['no weights', () => breakModel('model.safetensors', () => undefined), BROKEN],
  ['weights cut short', () => breakModel('model.safetensors', (bytes) => bytes.subarray(0, -100)), BROKEN],
  ['a header cut short', () => breakModel('model.safetensors', (bytes) => bytes.subarray(0, 50)), BROKEN],
  ['an empty weight file', () => breakModel('model.safetensors', () => ''), BROKEN],
  [
    'a header that promises more than there is',
    () => breakModel('model.safetensors', () => Buffer.from('ffffffffffffff7f7b7d', 'hex')),
    BROKEN,
  ],
  [
    'a header whose offsets do not fit its shape',
    () =>
      breakModel('model.safetensors', () =>
        withHeader({ a: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } }, 8),
      ),
    BROKEN,
  ],
  ['a tensor missing', () => breakTensors((tensors) => tensors.delete(`bert.${QUERY}`)), BROKEN],
  [
    'tensors of another shape or type',
    () =>
      breakTensors((tensors) => {
        tensors.set(`bert.${QUERY}`, { dtype: 'F32', shape: [32, 16], data: new Float32Array(512) });
        tensors.set('bert.pooler.dense.bias', { dtype: 'I32', shape: [32], data: new Int32Array(32) });
      }),
    BROKEN,
  ],
  ['no config.json', () => breakModel('config.json', () => undefined), BROKEN],
  ['a config.json that is no JSON', () => breakModel('config.json', () => '{"model_type": '), BROKEN],
  ['an unknown model type', () => breakConfig({ model_type: 'barth' }), BROKEN],
  ['an unknown activation', () => breakConfig({ hidden_act: 'swash' }), BROKEN],
  ['sizes that do not fit', () => breakConfig({ num_attention_heads: 5, hidden_dropout_prob: 2 }), BROKEN],
  ['no tokenizer', () => breakModel('tokenizer.json', () => undefined), BROKEN],
  ['a tokenizer cut short', () => breakModel('tokenizer.json', (text) => text.subarray(0, 200)), BROKEN],
  ['a tokenizer without content', () => breakModel('tokenizer.json', () => '{}'), BROKEN],
  ['more tokens than the model has', () => breakConfig({ vocab_size: 12 }), BROKEN],

  ['a misspelt key', () => {}, ['training.learning_rat=1', 'adalora.target_rank=2', 'modell=x']],
  ['a misspelt value', () => {}, ['method=adalorra']],
  ['an unknown target module', () => {}, ['adalora.target_modules=[qeury, value]']],
  ['a target that matches nothing', () => {}, ['adalora.target_modules=encoder.*qury']],
  ['target_r not below init_r', () => {}, ['adalora.target_r=4']],
  ['two budgets at once', () => {}, ['adalora.target=20 triplets', 'adalora.start=2%']],
  ['a budget below one triplet', () => {}, ['adalora={target: 20 parameters}']],
  ['a budget above the initial one', () => {}, ['adalora={target: 60 triplets, init_r: 4}']],
  ['a bottleneck of nothing', () => {}, ['method=pfeiffer', 'pfeiffer.bottleneck=0']],
  ['no room for budgeting', () => {}, ['adalora.tinit=30', 'adalora.tfinal=25']],
  ['a run too short for its schedule', () => {}, ['training.max_steps=1']],
  ['more tokens than the model takes', () => {}, ['data.max_length=256']],
  ['no room for tokens', () => {}, ['data.max_length=2']],
  ['one column for text and label', () => {}, ['data.label=sentence']],

  ['no data file', () => {}, ['data.train=trian.tsv']],
  ['no folder of a data file', () => {}, ['data.train=data/train.tsv']],
  ['a data file below a file', () => {}, ['data.train=train.tsv/train.tsv']],
  ['a folder for a data file', () => {}, ['data.train=model']],
  ['an empty file', data(''), DATA],
  ['a header alone', data(HEADER), DATA],
  ['bytes that are no text', () => workspace.write('bad.tsv', Buffer.from([0xff, 0xfe, 0x41])), DATA],
  ['a column that is not there', () => {}, ['data.text=sentense']],
  ['a row without a label', data(`${HEADER}a cat\tgood\na dog\t\n`), DATA],
  ['ragged rows', data(`${HEADER}a cat\tgood\na dog\nb\tbad\tbad\n`), DATA],
  [
    'a ragged CSV',
    () => workspace.write('bad.csv', 'sentence,label\n"a, cat",good\na, dog,bad\n'),
    ['data.train=bad.csv'],
  ],
  [
    'a quote never closed',
    () => workspace.write('bad.csv', 'sentence,label\n"a cat,good\na dog,bad\n'),
    ['data.train=bad.csv'],
  ],
  [
    'a line that is no JSON',
    () => workspace.write('bad.jsonl', '{"sentence": "a", "label": 1}\n{"sentence": "b", \n'),
    ['data.train=bad.jsonl'],
  ],
  [
    'a label never seen in training',
    () => workspace.write('bad.tsv', `${HEADER}a cat\tgood\na dog\tgod\n`),
    ['data.validation=bad.tsv'],
  ],
  ['a single label', data(`${HEADER}a cat\tgood\na dog\tgood\n`), DATA],
  ['a score that is no number', data(`${HEADER}a cat\t1.5\na dog\thigh\n`), [...DATA, 'task=regression']],

  ['an output that is a file', () => {}, ['output=train.tsv']],
  ['an output below a file', () => {}, ['output=train.tsv/run']],
  ['an output in use', () => {}, ['output=model']],
];

describe("a user's error gives exit code 2 and one message, and leaves nothing behind", () => {
  it.each(cases)('%s', async (_, prepare, settings) => {
    prepare();
    workspace.delete('run');
    const before = listing();
    const { code, stdout, stderr } = await workspace.train(...settings);
    expect(stderr).toMatchSnapshot();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toMatch(/^ +at /m);
    expect(listing()).toEqual(before);
  });

  it.skipIf(!existsSync('/proc/version'))(
    'an output that the system refuses (skipped without /proc)',
    async () => {
      const { code, stderr } = await workspace.train('output=/proc/a/run');
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: '/proc/a cannot be made (ENOENT).\n',
      });
    },
  );
});

it('an output whose name is too long for the system', async () => {
  const name = 'x'.repeat(300);
  const { code, stderr } = await workspace.train(`output=${name}`);
  const refused = 'is not writable (ENAMETOOLONG).';
  expect({ code, stderr }).toEqual({ code: 2, stderr: `output: ${name} ${refused}\n` });
});

/** The folder's content, without the files of the preparations. */
function listing(): string[] {
  return readdirSync(workspace.folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('cache'))
    .sort();
}

describe('a warning', () => {
  it('reports truncated texts of 100,000 characters', async () => {
    const rows = [`${'the cat sat. '.repeat(8_000)}\tgood`, `${'a'.repeat(100_000)} bad\tbad`, 'a dog\tgood'];
    workspace.write('long.tsv', `${HEADER}${rows.join('\n')}\n`);
    const { code, stdout, stderr } = await workspace.train(
      ...['data.train=long.tsv', 'training.max_steps=4', 'output=long', 'method=lora'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('note: 1 text was truncated to the maximum length\n');
    expect(workspace.events('long')[0]).toMatchObject({ type: 'start', truncated: 1 });
  });
});

describe('failing training', () => {
  it('ends after ten steps in a row without a finite gradient, with advice', async () => {
    const { code, stdout, stderr } = await workspace.train('output=infinite', 'training.learning_rate=1e30');
    expect(code).toBe(2);
    expect(stderr).toMatchInlineSnapshot(`
      "step 11 has no finite gradient, like the 9 steps before. Lower training.learning_rate, set training.max_grad_norm to 1, or look for damaged rows in the data.
      "
    `);
    expect(stdout).toContain('the gradient is not finite; the step was skipped');
    const skipped = workspace.events('infinite').filter(({ type, step }) => type === 'notice' && step > 0);
    expect(skipped).toHaveLength(10);
    expect(existsSync(workspace.path('infinite', 'adapter'))).toBe(false);
  });

  it('is an error if its result would be unusable', async () => {
    const { code, stderr } = await workspace.train(
      ...['output=lost', 'method=lora', 'training.weight_decay=1e308', 'training.max_steps=4'],
    );
    const advice =
      'Lower training.learning_rate, set training.max_grad_norm to 1, or look for damaged rows in the data.';
    const message = expect.stringMatching(/^step 4 has (a loss|values) that (is|are) not finite\. /);
    expect({ code, stderr }).toEqual({ code: 2, stderr: message });
    expect(stderr).toContain(advice);
    expect(existsSync(workspace.path('lost', 'adapter'))).toBe(false);
  });

  it('is an error if ranks were never allocated', async () => {
    const { code, stderr } = await workspace.train(
      ...['output=never', 'training.learning_rate=1e30', 'training.max_steps=8', 'adalora.tfinal=3'],
    );
    expect(code).toBe(2);
    expect(stderr).toMatchInlineSnapshot(`
      "adalora ended after 0 allocations without the final one. Every step near the end was skipped, because its gradient was not finite. Lower training.learning_rate.
      "
    `);
    expect(existsSync(workspace.path('never', 'adapter'))).toBe(false);
  });
});

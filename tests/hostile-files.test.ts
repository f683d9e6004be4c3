import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainMemory } from '../src/engine/runtime/session.ts';
import { loadConfig } from '../src/faces/cli/load-config.ts';
import { disk } from '../src/input/formats/node/folder-files.ts';
import { openCheckpoint } from '../src/input/formats/open-checkpoint.ts';
import { atomicWrite } from '../src/input/store/node/atomic-write.ts';
import { fileError } from '../src/support/user-error.ts';
import { open } from '../src/use/trained/node/open.ts';
import { sharedFiles } from '../src/use/trained/write-form.ts';
import { newWorkspace } from './support/commands.ts';
import { loadTokenizer } from './support/load-tokenizer.ts';
import { newFolder } from './support/new-folder.ts';
import { readRows } from './support/read-rows.ts';
import { writeTinyModel } from './support/tiny-model.ts';

const root = newFolder();
const workspace = newWorkspace();

function file(name: string, content: string): string {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
}

describe('a config', () => {
  it.each([
    ['an alias of itself', 'a: &a {b: *a}\n', /:1 is not valid YAML.*alias/],
    ['an alias of nothing', 'model: *nothing\n', /Unresolved alias.*few aliases/],
    [
      'aliases of aliases',
      `a: &a [x, x]\n${[...'bcdefghij'].map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]}, `.repeat(9)}]\n`).join('')}`,
      /Excessive alias count.*few aliases/,
    ],
    [
      'many lists in each other',
      `a: ${'['.repeat(100_000)}\n`,
      /is YAML (nested deeper than 64 levels|with more than 8192 entries)/,
    ],
    ['many lists that begin on a line', `${'- '.repeat(60_000)}\n`, /is YAML nested deeper than 64 levels/],
    [
      'many keys',
      Array.from({ length: 10_000 }, (_, i) => `k${i}: 1\n`).join(''),
      /with more than 8192 entries/,
    ],
    ['too long', `${'#'.repeat(2 ** 17)}\n`, /more than the maximum of 131072/],
  ])('with %s is rejected', (_, text, message) => {
    expect(() => loadConfig(file('config.yaml', text))).toThrow(message);
  });

  it('accepts no setting below an alias', () => {
    const path = file('alias.yaml', 'data: &d {train: t}\ntraining: *d\n');
    expect(() => loadConfig(path, ['training.seed=1'])).toThrow(
      /^--set training.seed=1: `training.seed` cannot be set/,
    );
  });

  it('with unknown tags and lists as keys prints no warning of the parser', async () => {
    workspace.write('odd.yaml', '? [a, b]\n: !odd c\n');
    const { code, stderr } = await workspace.start(['plan', 'odd.yaml']).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('odd.yaml: `data` is required (a section with keys)');
    expect(stderr).not.toContain('Warning');
  });

  it('with a pattern that would search forever is answered', async () => {
    const ended = await workspace.run('plan', 'run.yaml', '--set', 'adalora.target_modules=([a-z._0-9]+)+!');
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('target_modules');
  });
});

it('a file with a row of data that would take all memory is rejected', () => {
  const options = { text: 'a', label: 'b', format: 'jsonl', listed: false } as const;
  const deep = `{"a": ${'['.repeat(5000)}${']'.repeat(5000)}, "b": "x"}\n`;
  expect(() => readRows(file('deep.jsonl', deep), options)).toThrow(/:1 is not valid JSON: .*deep/);
  const wide = `a\tb\n${'\t'.repeat(20_000)}\n`;
  for (const quote of [true, false]) {
    const table = { ...options, format: 'tsv', header: true, quote } as const;
    expect(() => readRows(file('wide.tsv', wide), table)).toThrow('wide.tsv:2 has more than 10000 fields');
  }
});

it('a table with an unclosed quote, or too many fields, is rejected at that place', () => {
  const options = { text: 0, format: 'csv', listed: false } as const;
  const lines = 'abcdefgh\n'.repeat(2 ** 21);
  expect(() => readRows(file('late.csv', `a,b\n"c\nd","${lines}",e\n`), options)).toThrow(
    'late.csv:2 has more than 16777216 characters in a row. A quote that opens here may be left open.',
  );
  expect(() => readRows(file('quotes.csv', '"'.repeat(2 ** 26)), options)).toThrow(
    'quotes.csv:1 has more than 16777216 characters in a row',
  );
  expect(() => readRows(file('commas.csv', `${','.repeat(9999)}\n`.repeat(1201)), options)).toThrow(
    'commas.csv:1201 has more than 12000000 fields in all rows',
  );
});

describe('a tokenizer that would take all memory is rejected', () => {
  const load = (type: string, files: Record<string, string | Uint8Array>) => {
    const made = mkdtempSync(join(root, 'tokenizer-'));
    writeFileSync(join(made, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: type }));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(made, name), content);
    return loadTokenizer(made, { typeVocabSize: 2 });
  };

  it('with nested pieces', async () => {
    const field = (id: number, bytes: Buffer): Buffer => {
      const length = bytes.length < 128 ? [bytes.length] : [128 | (bytes.length & 127), bytes.length >> 7];
      return Buffer.concat([Buffer.of((id << 3) | 2, ...length), bytes]);
    };
    const texts = Array.from({ length: 256 }, (_, i) => 'a'.repeat(i + 1));
    for (const left of texts.slice(0, 110))
      for (const right of texts.slice(0, 110)) texts.push(`${left}b${right}`);
    const pieces = texts.map((text) => field(1, field(1, Buffer.from(text))));
    const model = Buffer.concat([field(2, Buffer.of(3 << 3, 2)), ...pieces]);
    await expect(load('DebertaV2Tokenizer', { 'spm.model': model })).rejects.toThrow(
      'more than 1048576 merges of its pieces',
    );
  });

  it('with empty lines', async () => {
    await expect(load('BertTokenizer', { 'vocab.txt': '\n'.repeat(2 ** 22) })).rejects.toThrow(
      'vocab.txt has more than 2097152 lines',
    );
  });

  it('with a short message', async () => {
    const vocab = `{"${'a'.repeat(1e6)}": [${'[],'.repeat(1e5)}0]}`;
    const model = `{"type":"BPE","vocab":${vocab},"merges":[]}`;
    const work = load('GPT2Tokenizer', { 'tokenizer.json': `{"model":${model}}` });
    await expect(work).rejects.toThrow(/the id of token .{0,100} is .{0,200}, not an integer/);
  });
});

it('shards with more tensors than any model has are rejected', () => {
  const folder = mkdtempSync(join(root, 'shards-'));
  const tensors = Array.from(
    { length: 70_000 },
    (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
  );
  const header = Buffer.from(`{${tensors.join(',')}}`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const names = Array.from({ length: 4 }, (_, i) => `${i}.safetensors`);
  for (const name of names) writeFileSync(join(folder, name), Buffer.concat([length, header]));
  const index = { weight_map: Object.fromEntries(names.map((name, i) => [`${i}`, name])) };
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  expect(() => openCheckpoint(disk, folder)).toThrow('has shards with more than 262144 tensors');
});

it('a JSON list with a text of millions of characters is read', () => {
  const options = { text: 'a', label: 'b', format: 'jsonl', listed: false } as const;
  const long = 'x'.repeat(8 * 2 ** 20);
  const text = JSON.stringify([
    { a: `${long}\\"`, b: 'y' },
    { a: 'z', b: 'y' },
  ]);
  expect(readRows(file('long.json', text), options).map((row) => row.text.length)).toEqual([
    long.length + 2,
    1,
  ]);
  expect(() => readRows(file('open.json', `[{"a": "${'\\"'.repeat(1e6)}`), options)).toThrow(
    'ends before the JSON list is closed',
  );
});

it.runIf(process.platform === 'linux')(
  'a folder that the system refuses to create is rejected with its name',
  () => {
    expect(() => atomicWrite('/proc/x/y', '')).toThrow('/proc/x cannot be made');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const path = join(root, 'full');
    const work = () =>
      atomicWrite(
        path,
        (function* () {
          yield new Uint8Array(1);
          throw full;
        })(),
      );
    expect(work).toThrow(full);
    expect(fileError(full)?.message).toBe(`${path} failed: ENOSPC: no space left on device.`);
  },
);

it("a disk that is full when something is copied is named by the copy's path", () => {
  const message = "ENOSPC: no space left on device, copyfile 'model/vocab.txt' -> 'out/vocab.txt'";
  const places = { path: 'model/vocab.txt', dest: 'out/vocab.txt' };
  const full = Object.assign(new Error(message), { code: 'ENOSPC', ...places });
  expect(fileError(full)?.message).toMatch(/^out\/vocab\.txt failed: ENOSPC/);
  expect(fileError(Object.assign(full, { code: 'EACCES' }))?.message).toMatch(/^model\/vocab\.txt failed: /);
});

it('an engine out of memory says what to do', () => {
  const error = new Error(
    'Non-zero status code: BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer',
  );
  expect(() => explainMemory(error)).toThrow(
    expect.objectContaining({ name: 'ComputationError', code: 'out_of_memory' }),
  );
  expect(() => explainMemory(error)).toThrow('Lower the batch size');
  expect(() => explainMemory(new Error('other'))).toThrow('other');
});

it('files linked from outside a model are not copied beside its weights', () => {
  const secret = file('secret', 'secret');
  const model = join(root, 'model');
  mkdirSync(model);
  writeFileSync(join(model, 'tokenizer.json'), '{}');
  expect([...sharedFiles(disk, model).keys()]).toEqual(['tokenizer.json']);
  symlinkSync(secret, join(model, 'vocab.txt'));
  expect(() => sharedFiles(disk, model)).toThrow(`a link to ${secret}. Put a copy of the file in its place.`);
  // The Hub's cache consists of links.
  const snapshot = join(root, 'hub', 'snapshots', 'abc');
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(root, 'hub', 'blobs'));
  writeFileSync(join(root, 'hub', 'blobs', '1'), '{}');
  symlinkSync('../../blobs/1', join(snapshot, 'tokenizer.json'));
  expect([...sharedFiles(disk, snapshot).keys()]).toEqual(['tokenizer.json']);
});

describe.runIf(process.platform === 'linux')('a system limit is reported in a sentence', () => {
  const shell = (command: string) =>
    spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: workspace.folder });
  const program = `exec "${process.execPath}" "${resolve('dist/cli/main.js')}"`;

  // Too few for the program's own files, and for those that a command loads.
  it.each([24, 56])('%d open files', (limit) => {
    const { status, stderr } = shell(`ulimit -n ${limit}; ${program} plan run.yaml`);
    expect(stderr).toMatch(/^adalora: the system cannot open more files \(EMFILE: .*\(ulimit -n\)\.\n$/);
    expect(status).toBe(2);
  });

  it('a full device for the output', () => {
    const { status, stderr } = shell(`${program} plan run.yaml > /dev/full`);
    expect(stderr).toMatch(/^Cannot write to standard output: ENOSPC: .*\n$/);
    expect(status).toBe(2);
  });
});

it('an unknown problem type is rejected', async () => {
  const heads = { id2label: { 0: 'bad', 1: 'good' }, architectures: ['BertForSequenceClassification'] };
  for (const problem_type of ['fuzzy', 5, ['regression']]) {
    writeTinyModel(workspace.path('kind'), { ...heads, problem_type });
    await expect(open(workspace.path('kind'))).rejects.toThrow(
      `config.json: \`problem_type\` must be one of single_label_classification, regression, multi_label_classification, got ${JSON.stringify(problem_type)}.`,
    );
  }
});

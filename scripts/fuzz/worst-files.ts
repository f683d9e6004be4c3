import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { writeZip } from '../../tests/support/write-zip.ts';

/** A small file that is as costly to read as possible. */
export interface WorstFile {
  /** The name of the file's kind. */
  kind: string;
  /** Why the file is costly. */
  what: string;
  /** @param sample an intact file */
  content(sample: Buffer): string | Uint8Array;
  /**
   * A part of the error message that rejects the file: the limit or the location. Undefined if the file is
   * accepted.
   */
  refused?: string;
}

const KB = 2 ** 10;
const MB = 2 ** 20;

const list = (count: number, item: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => item(i)).join();
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('');

/** Adds a key to the sample, which is a JSON object. */
const withKey = (sample: Buffer, key: string, json: string) =>
  `${`${sample}`.trimEnd().slice(0, -1)}, "${key}": ${json}}`;
const changed = (sample: Buffer, parts: object) => JSON.stringify({ ...JSON.parse(`${sample}`), ...parts });

function safetensors(header: string): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header)]);
}

function torch(pickle: string): Uint8Array {
  return writeZip([{ name: 'm/data.pkl', data: Buffer.from(pickle, 'latin1') }]);
}

/** A tokenizer with many splits, normalizers or other steps. */
const steps = (key: string, of: string, count: number, step: object) => (sample: Buffer) =>
  changed(sample, { [key]: { type: 'Sequence', [of]: Array(count).fill(step) } });

const aliases = (name: string, i: number) => `${name}: &${name} [${`*${'abcdefghi'[i]}, `.repeat(9)}]\n`;
const BOMB = `a: &a [x, x]\n${[...'bcdefghij'].map(aliases).join('')}`;
/** A Jinja template that assigns x repeatedly. */
const grown = (from: string, next: string) =>
  `{% set ns = namespace(x=${from}) %}{% for i in range(100) %}{% set ns.x = ${next} %}{% endfor %}{{ ns.x | length }}`;

const of = (kinds: string[], files: Omit<WorstFile, 'kind'>[]): WorstFile[] =>
  kinds.flatMap((kind) => files.map((file) => ({ kind, ...file })));

/** The worst files of models, tokenizers and adapters. Those of data follow below. */
const MODELS: readonly WorstFile[] = [
  ...(
    [
      ['config', 'config.yaml'],
      ['run config', 'run/config.yaml'],
      ['sweep', 'sweep.yaml'],
      ['comparison', 'compare.yaml'],
    ] as const
  ).map(([kind, refused]) => ({
    kind,
    what: 'unknown keys',
    content: () => lines(8000, (i) => `k${i}: 1`),
    refused,
  })),
  ...of(
    ['config', 'run config', 'sweep', 'comparison'],
    [{ what: 'an error per line', content: () => '"\n'.repeat(60 * KB), refused: 'double-quoted' }],
  ),
  ...of(
    ['config'],
    [
      { what: 'aliases of aliases', content: () => BOMB, refused: 'alias' },
      { what: 'open maps', content: () => '{a: '.repeat(30 * KB), refused: '64' },
      { what: 'nested keys', content: () => '? '.repeat(60 * KB), refused: '64' },
      { what: 'a long number', content: () => `seed: ${'9'.repeat(120 * KB)}`, refused: 'seed' },
      {
        what: 'a pattern that searches forever',
        content: (sample) => `${sample}`.replace("'encoder.*(query|value)'", `'(${'(a*)*'.repeat(900)})+!'`),
      },
    ],
  ),
  ...of(
    ['safetensors'],
    [
      {
        what: 'tensors',
        content: () =>
          safetensors(`{${list(60_000, (i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)}}`),
      },
      {
        what: 'axes',
        content: () =>
          safetensors(`{"a":{"dtype":"U8","shape":[${list(MB, () => '1')}],"data_offsets":[0,0]}}`),
        refused: '1048576',
      },
      { what: 'open lists', content: () => safetensors('['.repeat(4 * MB)), refused: 'header' },
      {
        what: 'notes',
        content: () => safetensors(`{"__metadata__":{${list(300_000, (i) => `"${i}":"x"`)}}}`),
      },
    ],
  ),
  ...of(
    ['index'],
    [
      {
        what: 'tensors that are in no file',
        content: () =>
          `{"weight_map":{${list(250_000, (i) => `"${i}":"model-00001-of-00001.safetensors"`)}}}`,
        refused: 'shard',
      },
      {
        what: 'a file for each tensor',
        content: () => `{"weight_map":{${list(250_000, (i) => `"${i}":"${i}.safetensors"`)}}}`,
        refused: '1024',
      },
    ],
  ),
  ...of(
    ['model config'],
    [
      { what: 'open lists', content: () => '['.repeat(4 * MB), refused: '64' },
      { what: 'objects', content: (sample) => withKey(sample, 'x', `[${list(MB, () => '{}')}]`) },
      {
        what: 'labels',
        content: (sample) => withKey(sample, 'id2label', `{${list(200_000, (i) => `"${i}":"x"`)}}`),
      },
      { what: 'keys', content: (sample) => withKey(sample, 'x', `{${list(300_000, (i) => `"${i}":0`)}}`) },
    ],
  ),
  ...of(
    ['tokenizer'],
    [
      {
        what: 'normalizers that lengthen a text',
        content: steps('normalizer', 'normalizers', 40, {
          type: 'Replace',
          pattern: { String: '' },
          content: 'ab',
        }),
        refused: 'normalizer',
      },
      { what: 'splits', content: steps('pre_tokenizer', 'pretokenizers', 30_000, { type: 'Whitespace' }) },
      ...[
        '(\\w+\\s*)+!',
        '(?:(?:a{1,15}){1,15}){1,15}b',
        '(?:a?a?){15}(?:a?a?){15}b',
        '(?:a|a){1,15}(?:a|a){1,15}b',
        `${'a{0,15}'.repeat(8)}b`,
        '(?=.)(?:[a-z0-9._]+)+!',
        '(?<=(?:a|aa)+)(?:.*.*)*!',
      ].flatMap((Regex) => [
        {
          what: `the pattern ${Regex} of a split`,
          content: steps('pre_tokenizer', 'pretokenizers', 1, {
            type: 'Split',
            pattern: { Regex },
            behavior: 'Isolated',
          }),
        },
        {
          what: `the pattern ${Regex} of a normalizer`,
          content: steps('normalizer', 'normalizers', 1, {
            type: 'Replace',
            pattern: { Regex },
            content: '',
          }),
        },
      ]),
      {
        what: 'large patterns',
        content: steps('normalizer', 'normalizers', 10_000, {
          type: 'Replace',
          pattern: { Regex: '(?:\\p{L}?\\d?){1,20}b' },
          content: '',
        }),
        refused: 'steps',
      },
      {
        what: 'added tokens',
        content: (sample) =>
          changed(sample, {
            added_tokens: Array.from({ length: 50_000 }, (_, id) => ({
              id: id + 100,
              content: `<${id}>`,
              special: id % 2 === 0,
              single_word: false,
              lstrip: true,
              rstrip: true,
              normalized: false,
            })),
          }),
      },
      {
        what: 'pieces',
        content: (sample) =>
          changed(sample, {
            model: {
              type: 'Unigram',
              unk_id: 0,
              vocab: Array.from({ length: 200_000 }, (_, i) => [`a${i}`, -i]),
            },
          }),
      },
      {
        what: 'long merges',
        content: (sample) =>
          changed(sample, {
            model: {
              type: 'BPE',
              vocab: Object.fromEntries(Array.from({ length: 2000 }, (_, i) => ['a'.repeat(i + 1), i])),
              merges: Array.from({ length: 1999 }, (_, i) => ['a'.repeat(i + 1), 'a']),
            },
          }),
      },
    ],
  ),
  ...of(
    ["bert's vocab.txt"],
    [{ what: 'empty lines', content: () => '\n'.repeat(4 * MB), refused: '2097152' }],
  ),
  ...of(
    ["deberta-v3's spm.model"],
    [
      {
        what: 'pieces',
        content: () => Buffer.alloc(4 * MB, Uint8Array.of(10, 0)),
        refused: '1048576',
      },
      { what: 'open groups', content: () => Buffer.alloc(4 * MB, 11), refused: 'spm.model' },
    ],
  ),
  ...of(
    ['torch'],
    [
      {
        what: 'dictionaries',
        content: () => torch('}'.repeat(8 * MB)),
        refused: '524288',
      },
      {
        what: 'tuples in tuples',
        content: () => torch(`)${'\x85'.repeat(500_000)}.`),
        refused: 'dictionary',
      },
      {
        what: 'a long number',
        content: () => torch(`L${'9'.repeat(8 * MB)}L\n.`),
        refused: 'LONG',
      },
      {
        what: 'entries',
        content: () =>
          writeZip(Array.from({ length: 60_000 }, (_, i) => ({ name: `m/${i}`, data: new Uint8Array(0) }))),
        refused: 'data.pkl',
      },
    ],
  ),
  ...of(
    ['chat template'],
    [
      { what: 'open brackets', content: () => `{{ ${'('.repeat(500_000)} }}`, refused: 'template' },
      { what: 'operators', content: () => `{{ 1${' + 1'.repeat(200_000)} }}`, refused: 'call stack' },
      {
        what: 'loops in loops',
        content: () => `${'{% for a in range(99999) %}'.repeat(5)}${'{% endfor %}'.repeat(5)}`,
        refused: 'chat_template.jinja',
      },
      {
        what: 'a text that doubles',
        content: () => grown("'aa'", 'ns.x ~ ns.x'),
        refused: '4194304',
      },
      {
        what: 'a list that doubles',
        content: () => grown('[1, 2]', 'ns.x + ns.x'),
        refused: '1048576',
      },
      {
        what: 'texts in texts',
        content: () => grown("'aa'", "ns.x | replace('a', 'aa')"),
        refused: 'chat_template.jinja',
      },
      {
        what: 'a call of itself',
        content: () => '{% macro a() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}',
        refused: 'chat_template.jinja',
      },
    ],
  ),
];

const DATA: readonly WorstFile[] = [
  ...of(
    ['tsv'],
    [
      { what: 'rows', content: () => `sentence\tlabel\n${'a\tb\n'.repeat(500_000)}` },
      {
        what: 'fields',
        content: () => `sentence\tlabel\n${'\t'.repeat(4 * MB)}`,
        refused: '10000',
      },
      {
        what: 'a packed bomb',
        content: () => gzipSync(Buffer.alloc(260 * MB, 'a\tb\n')),
        refused: '268435456',
      },
    ],
  ),
  ...of(
    ['csv'],
    [
      { what: 'rows', content: () => `sentence,label\n${'a,b\n'.repeat(500_000)}` },
      { what: 'quotes', content: () => `sentence,label\n${'"'.repeat(8 * MB)}`, refused: 'rows.csv' },
      { what: 'an open quote a line', content: () => `sentence,label\n${'a,"\n'.repeat(500_000)}` },
    ],
  ),
  ...of(
    ['jsonl'],
    [
      { what: 'open lists', content: () => '['.repeat(8 * MB), refused: 'rows.jsonl' },
      {
        what: 'a deep list',
        content: () => `{"sentence": ${'['.repeat(2 * MB)}${']'.repeat(2 * MB)}, "label": "x"}\n`,
        refused: 'rows.jsonl:1',
      },
      {
        what: 'values',
        content: () => `{"sentence": "x", "label": "y", "z": [${list(2 * MB, () => '0')}]}\n`,
      },
      {
        what: 'keys',
        content: () => `{"sentence": "x", "label": "y", "z": {${list(300_000, (i) => `"${i}":0`)}}}\n`,
      },
      { what: 'a long number', content: () => `{"sentence": "x", "label": ${'9'.repeat(4 * MB)}}\n` },
      { what: 'rows without end', content: () => '{\n'.repeat(500_000), refused: 'rows.jsonl:1' },
      { what: 'a list of rows', content: () => `[${list(200_000, () => '{"sentence":"a","label":"b"}')}]` },
    ],
  ),
  ...of(
    ['parquet'],
    [
      {
        what: 'a bomb',
        content: () => readFileSync('src/input/data/parquet/fixtures/bomb.parquet'),
        refused: 'rows.parquet',
      },
      {
        what: 'a page without end',
        content: () => readFileSync('src/input/data/parquet/fixtures/endless.parquet'),
        refused: 'rows.parquet',
      },
    ],
  ),
  ...of(
    ['words'],
    [
      {
        what: 'words and tags',
        content: () =>
          `{"tokens": [${list(100_000, () => '"a"')}], "ner_tags": [${list(100_000, () => '"B-X"')}]}\n`,
      },
    ],
  ),
  ...of(
    ['conll'],
    [
      { what: 'sentences', content: () => 'a B-X B-Y\n\n'.repeat(200_000) },
      {
        what: 'spaces',
        content: () => `a${' '.repeat(4 * MB)}B-X B-Y\n`,
        refused: '1048576',
      },
    ],
  ),
  ...of(['conll'], [{ what: 'tags', content: () => lines(200_000, (i) => `a B-${i}`) }]),
  ...of(
    ['squad'],
    [
      { what: 'open lists', content: () => '['.repeat(8 * MB), refused: '64' },
      { what: 'values', content: () => `{"data": [${list(3_900_000, () => '0')}]}`, refused: 'json' },
      { what: 'keys', content: () => `{${list(300_000, (i) => `"${i}":"x"`)}}`, refused: 'json' },
    ],
  ),
  ...of(['texts to predict', 'sentences to tag'], [{ what: 'lines', content: () => 'a\n'.repeat(500_000) }]),
  ...of(
    ['metrics'],
    [
      { what: 'events', content: (sample) => `${sample}`.repeat(5000) },
      { what: 'lines without end', content: () => '{\n'.repeat(500_000), refused: '1000' },
      { what: 'open lists', content: () => '['.repeat(8 * MB) },
    ],
  ),
  ...of(
    ['dataset card'],
    [
      { what: 'open lists', content: () => `---\n${'['.repeat(MB)}\n---\n` },
      { what: 'an error per line', content: () => `---\n${'"\n'.repeat(MB)}---\n` },
      { what: 'aliases of aliases', content: () => `---\n${BOMB}---\n` },
      ...['**/*'.repeat(50_000), '{a,b}'.repeat(1000), `${'*a'.repeat(1000)}b`].map((pattern) => ({
        what: `the pattern ${pattern.slice(0, 12)}…`,
        content: () => `---\nconfigs:\n- {config_name: default, data_files: '${pattern}'}\n---\n`,
      })),
    ],
  ),
];

export const WORST_FILES: readonly WorstFile[] = [...MODELS, ...DATA];

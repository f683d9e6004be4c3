import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { jsonLines } from '../../../input/data/json-lines.ts';
import { localData } from '../../../input/data/node/text-files.ts';
import { parseRows } from '../../../input/data/parse-rows.ts';
import { RowProblems } from '../../../input/data/rows.ts';
import { mapValues } from '../../../support/options.ts';
import { scoreTargets } from '../../../tasks/labeled/label-kind.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { readConfigText } from '../load-config.ts';
import { configForData, newConfig, stem } from './config-for-data.ts';
import { findTestSet, isDataFile, readDataFile } from './read-data-file.ts';

const folder = newFolder();

function write(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** The config written for a file, with its text and what was printed. */
async function startFrom(path: string) {
  const told: string[] = [];
  const text = await newConfig(path, 'x.yaml', { set: [] }, (line) => told.push(line));
  return { text, config: parse(text), told: told.join('\n').replaceAll(folder, '') };
}

/** The least that names an image. */
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const METADATA = ['file_name,label', ...[1, 3, 5, 7].map((i) => `${i}.png,${'ab'[i >> 2]}`)].join('\n');

/** A file as German Excel writes it: semicolons, quotes, CRLF, Windows-1252. */
const rows = Array.from(
  { length: 12 },
  (_, i) => `${i};"Größe ""${i % 10}"" paßt nicht; schade";${'ab'[i % 2]};${'xyz'[i % 3]}`,
);
const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `a text of number ${i},${i % 2 ? 'yes' : 'no'}`);
const excel = ['Nr;Beschreibung;Priorität;Zuständig', ...rows].join('\r\n');

describe('a table of images', () => {
  it('with captions still trains on the images', async () => {
    const captions = Array.from({ length: 8 }, (_, i) => `${i}.png,a caption of image ${i},${'ab'[i % 2]}`);
    const { guesses } = await readDataFile(
      write('captions.csv', ['file_name,text,kind', ...captions].join('\n')),
    );
    expect(guesses[0]).toMatchObject({ at: { text: 0, label: 2 }, task: 'single_label_classification' });
  });
});

describe('a file of rows', () => {
  it.each([
    ['a.csv', true],
    ['b/a.jsonl.gz', true],
    ['a.xlsx', true],
    ['a.parquet', true],
    ['a.yaml', false],
    ['folder', false],
  ])('%s is a data file: %s', (path, is) => expect(isDataFile(path)).toBe(is));

  it('from German Excel is read, shown, and becomes a config', async () => {
    const path = write('tickets.csv', Buffer.from(excel, 'latin1'));
    const { config, text, told } = await startFrom(path);
    expect(told).toBe(
      [
        'task: single_label_classification  # 2 labels that repeat',
        'model: adalora-mini  # A folder or an id on the Hub.',
        'method: adalora  # docs/methods.md describes all methods.',
        'output: runs/tickets  # folder of the run',
        'data:',
        '  train: /tickets.csv  # 12 rows',
        `  text: Beschreibung  # 28 characters on average, such as "Größe "0" paßt nicht; schade"`,
        '  label: Priorität  # 2 labels: a 6, b 6',
        '  delimiter: ;',
        '/tickets.csv is not UTF-8; reading it as Windows-1252, as spreadsheets write it.',
        'Columns that are not used: Nr, Zuständig.',
        'It could also classify "Beschreibung" by "Zuständig". For that: --task single_label_classification ' +
          `--text Beschreibung --label 'Zuständig'`,
      ].join('\n'),
    );
    expect(config).toEqual({
      task: 'single_label_classification',
      model: 'adalora-mini',
      method: 'adalora',
      output: 'runs/tickets',
      data: { train: path, text: 'Beschreibung', label: 'Priorität', delimiter: ';' },
    });
    expect(text).toContain(
      '# Trains a model to classify "Beschreibung" by "Priorität": npx adalora train x.yaml\n',
    );
  });

  it('without a header uses column numbers, and numbers on a scale are a regression', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `a longer text ${i}\t${(i % 29) / 4}`);
    const { config } = await startFrom(write('scale.tsv', lines.join('\n')));
    expect(config).toMatchObject({ task: 'regression', data: { text: 0, label: 1 } });
  });

  it('may be a book, a folder with a subfolder per class, or questions in the format of SQuAD', async () => {
    const book = await startFrom(
      write('book.txt', 'It was a dark night.\nNobody, or so it seemed,\nslept.\n'),
    );
    expect(book.config).toMatchObject({ task: 'causal_lm' });
    for (const [name, text] of ['good a', 'good b', 'bad c', 'bad d'].map(
      (pair) => pair.split(' ') as [string, string],
    )) {
      mkdirSync(join(folder, 'mails', name), { recursive: true });
      write(`mails/${name}/${text}.txt`, `a mail about ${text}`);
    }
    expect(isDataFile(join(folder, 'mails'))).toBe(true);
    const mails = await readDataFile(join(folder, 'mails'));
    expect(mails.table?.rows).toEqual([
      ['a mail about c', 'bad'],
      ['a mail about d', 'bad'],
      ['a mail about a', 'good'],
      ['a mail about b', 'good'],
    ]);
    const squad = write('squad.json', '{"version": "v1.1", "data": []}');
    expect(isDataFile(squad)).toBe(true);
    expect((await readDataFile(squad)).guesses).toMatchObject([{ task: 'question_answering' }]);
    expect(isDataFile(write('rows.json', '[{"text": "a", "label": "b"}]'))).toBe(true);
    expect(isDataFile(write('rows', 'ham\ta text\n'))).toBe(true);
    expect(isDataFile(write('pandas.json', '{"text":{"0":"a"}}'))).toBe(true);
    expect(isDataFile(write('nested.json', '{"data": [{"text": "a", "label": "b"}]}'))).toBe(true);
    expect(isDataFile(write('config.json', '{"task": "regression",\n "data": {}}'))).toBe(false);
  });

  it('may end lines with CR alone, or with a comma', async () => {
    const lines = (end: string, header = end) =>
      `text,label${header}${rowsOf(30)
        .map((row) => row + end)
        .join('')}`;
    for (const content of [lines('\r'), lines(',\n', '\n'), lines(',\n')]) {
      const { table } = await readDataFile(write('ends.csv', content));
      expect(table).toMatchObject({ hasHeader: true, ragged: 0 });
      expect(table!.columns.slice(0, 2)).toEqual(['text', 'label']);
      expect(table!.rows).toHaveLength(30);
    }
    const ragged = write('ragged.csv', 'text,label\na,b,c\nd,e,f\n');
    await expect(readDataFile(ragged)).rejects.toThrow(
      'has 2 fields in its first line, and another number in every other line',
    );
  });

  it('is read without its index, and with its split', async () => {
    const parts = ['train', 'train', 'validation', 'train', 'train', 'test'];
    const lines = Array.from(
      { length: 30 },
      (_, i) => `${i + 5},"a text\nof number ${i}",${i % 2 ? 'yes' : 'no'},${parts[i % 6]}`,
    );
    const path = write('pandas.csv', [',text,label,split', ...lines].join('\n'));
    const file = await readDataFile(path);
    expect(file.table).toMatchObject({ hasHeader: true, columns: ['column 1', 'text', 'label', 'split'] });
    expect(file.guesses[0]).toMatchObject({ at: { text: 1, label: 2 }, task: 'single_label_classification' });
    expect(file.table!.rows).toHaveLength(20);
    expect(file.notices).toEqual(['Column "split" divides the rows: train 20, validation 5, test 5.']);
    const { data } = (await startFrom(path)).config;
    expect(data).toEqual({
      train: `${path}#split=train`,
      validation: `${path}#split=validation`,
      text: 'text',
      label: 'label',
    });
    expect(await findTestSet(path, data.train)).toBe(`${path}#split=test`);
    const [test] = await localData.at(`${path}#split=test`, false);
    const rows = parseRows(test!.read(), test!.name, { text: 'text', label: 'label' });
    // A row keeps its line: two lines each, below the header.
    expect(rows.map(({ line }) => line)).toEqual([12, 24, 36, 48, 60]);
    await expect(async () => (await localData.at(`${path}#splits=test`, false))[0]!.read()).rejects.toThrow(
      'has no column "splits"',
    );
  });

  it.each<[string, string, string]>([
    [
      'joined.csv',
      ['text,label', ...rowsOf(9), 'text,label', ...rowsOf(9)].join('\n'),
      'joined.csv:11 repeats',
    ],
    [
      'columns.json',
      '{"text": ["a b", "c d"], "label": ["x", "y"]}',
      'is one JSON object, with its rows or columns',
    ],
    [
      'rows-by-id.json',
      '{"a": {"text": "a b"}, "b": {"text": "c d"}}',
      'is one JSON object, with its rows or',
    ],
    [
      'objects.jsonl',
      '{"text": "a b", "label": {"id": 1}}\n{"text": "c d", "label": {"id": 0}}',
      'has objects in column "label"',
    ],
    [
      'vectors.jsonl',
      '{"text": "a b", "label": [0, 1]}\n{"text": "c d", "label": [1, 0]}\n{"text": "e", "label": [1, 0]}',
      'has lists of 0 and 1 in column "label" instead of labels',
    ],
  ])('whose layout would be learned wrongly is refused: %s', async (name, content, message) => {
    await expect(readDataFile(write(name, content))).rejects.toThrow(message);
  });

  it('with a column that is not used names it', async () => {
    const lines = ['first', 'second', 'third'].map(
      (word) =>
        `{"instruction": "say ${word}", "input": "as ${word} of", "output": "it is the ${word} text"}`,
    );
    const { notices } = await readDataFile(write('alpaca.jsonl', lines.join('\n')));
    expect(notices).toEqual(['Columns that are not used: input.']);
  });

  it.each([
    ['is_test', { train: '0', test: '1' }],
    ['is_train', { train: '1', test: '0' }],
    ['is_valid', { train: '0', validation: '1' }],
  ])('is divided by a column of flags: %s', async (name, values) => {
    const lines = rowsOf(20).map((row, i) => `${row},${i % 3 ? 0 : 1}`);
    const path = write(`${name}.csv`, [`text,label,${name}`, ...lines].join('\n'));
    const { parts } = await readDataFile(path);
    expect(parts).toEqual(mapValues(values, (value) => `${path}#${name}=${value}`));
  });

  it('with empty texts counts them', async () => {
    const { notices } = await readDataFile(
      write('empty.csv', ['text,label', ...rowsOf(9), ',no'].join('\n')),
    );
    expect(notices).toEqual(['1 row has an empty text.']);
  });

  it('may have columns without content', async () => {
    const lines = rowsOf(20).map((row) => row.replace(',', ',,,'));
    const { table } = await readDataFile(write('empty-columns.csv', ['text,,,label', ...lines].join('\n')));
    expect(table).toMatchObject({ hasHeader: true, columns: ['text', 'column 2', 'column 3', 'label'] });
  });

  it('may be a slice', async () => {
    const lines = rowsOf(20).map((row, i) => `${row},${i % 4 ? 'train' : 'test'}`);
    const path = `${write('sliced.csv', ['text,label,split', ...lines].join('\n'))}#split=train`;
    expect(isDataFile(path)).toBe(true);
    const { config } = await startFrom(path);
    expect(config).toMatchObject({ output: 'runs/sliced-train', data: { train: path } });
    expect(config.data.validation).toBeUndefined();
  });

  it('has a slice of JSON rows by their split', async () => {
    const rows = ['{"text": "a", "split": "train"}', '{"text": "b", "split": "test"}'];
    for (const [name, content] of [
      ['rows.jsonl', rows.join('\n')],
      ['rows.json', `[\n${rows.join(',\n')}\n]`],
    ] as const) {
      const [test] = await localData.at(`${write(name, content)}#split=test`, false);
      expect(parseRows(test!.read(), test!.name, { text: 'text' })).toMatchObject([{ text: 'b' }]);
    }
  });

  it.each([
    ['images', (label: string, i: number) => [`${label}/${i}.png`, PNG] as const],
    ['texts', (label: string, i: number) => [`${label}/${i}.txt`, `a ${label} text of number ${i}`] as const],
    [
      'images with metadata',
      (_: string, i: number) => [i % 2 ? `${i}.png` : 'metadata.csv', i % 2 ? PNG : METADATA] as const,
    ],
  ])('in folders train, val and test of %s keeps its test set apart', async (name, fileOf) => {
    const root = join(folder, name);
    const parts = ['Train', 'val', 'test'];
    for (const part of parts)
      for (let i = 0; i < 8; i++) {
        const [file, content] = fileOf(['pos', 'neg'][i % 2]!, i);
        mkdirSync(dirname(join(root, part, file)), { recursive: true });
        writeFileSync(join(root, part, file), content);
      }
    expect(isDataFile(root)).toBe(true);
    const file = await readDataFile(root);
    expect(file.guesses[0]).toMatchObject({ task: 'single_label_classification' });
    expect(file.table!.rows.length).toBeLessThanOrEqual(8);
    const { data } = (await startFrom(root)).config;
    expect(data).toMatchObject({ train: join(root, 'Train'), validation: join(root, 'val') });
    expect(data.test).toBeUndefined();
    expect(await findTestSet(root, data.train)).toBe(join(root, 'test'));
    rmSync(join(root, 'val'), { recursive: true });
    const { parts: two } = await readDataFile(root);
    expect(two).toEqual({ train: join(root, 'Train'), test: join(root, 'test') });
  });

  it.each([
    ['sheet.xlsx', Buffer.from('PK\x03\x04\0\0\0'), 'Save the sheet as CSV'],
    ['one.csv', 'text\na text\nb text\n', 'has one column'],
    ['empty.csv', '', ' is empty.'],
  ])('is rejected: %s', async (name, content, message) => {
    await expect(readDataFile(write(name, content))).rejects.toThrow(message);
  });
});

it('reads several labels of a field as one class if they are rare, and says so', async () => {
  const lines = Array.from(
    { length: 100 },
    (_, i) => `a text of number ${i},${i % 40 === 7 ? 'bad;good' : ['good', 'bad', 'other'][i % 3]}`,
  );
  const { guesses } = await readDataFile(write('rare.csv', ['text,label', ...lines].join('\n')));
  expect(guesses).toMatchObject([
    { task: 'single_label_classification' },
    { task: 'multi_label_classification', separator: ';', reason: expect.stringContaining('3.0 %') },
  ]);
});

it.each([
  ['csv', 'multi_label_classification'],
  ['jsonl', 'multi_label_classification'],
  ['csv', 'single_label_classification'],
])('reads a column per label of %s as %s', async (format, task) => {
  const listed = task.startsWith('multi');
  const lines = Array.from({ length: 20 }, (_, i) => {
    const [toxic, rude] = [i % 2, listed && i % 5 === 1 ? 1 : (i + 1) % 2];
    return format === 'csv'
      ? `a text ${i},${toxic},${rude}`
      : JSON.stringify({ text: `a text ${i}`, toxic: toxic === 1, rude: rude === 1 });
  });
  const header = format === 'csv' ? ['text,toxic,rude'] : [];
  const path = write(`flags.${format}`, [...header, ...lines].join('\n'));
  const file = await readDataFile(path);
  expect(file.guesses).toMatchObject([{ task }]);
  const { data } = (await startFrom(path)).config;
  expect(data).toMatchObject({ text: 'text', label: ['toxic', 'rude'] });
  expect(data.on_bad_row).toBeUndefined();
  const rows = parseRows(readFileSync(path, 'utf8'), path, { ...data, listed });
  expect(rows[1]!.label).toEqual(listed ? ['toxic', 'rude'] : 'toxic');
});

it.each([
  ['text,a,b\nx,1,2', true, '2:2'],
  ['text,a,b\nx,1,1', false, 'has 2 of the labels a, b instead of one'],
])('names the row of a column per label that says something else', (content, listed, message) => {
  const options = { text: 'text', label: ['a', 'b'], listed };
  expect(() => parseRows(content, 'f.csv', options)).toThrow(message === '2:2' ? 'f.csv:2 has "2"' : message);
});

it.each([
  ['null', '{"tokens": ["a", "b"], "ner_tags": null}'],
  ['null', '{"tokens": ["a", "b"], "ner_tags": ["O", null]}'],
])('names the fault of words with tags that are %s', async (fault, row) => {
  const file = await readDataFile(write('words.jsonl', `${row}\n`.repeat(3)));
  expect(file.guesses).toMatchObject([{ task: 'token_classification' }]);
  const files = await localData.at(file.path, false);
  expect(() => taskNamed('token_classification').files.read(files, {} as never)).toThrow(fault);
});

it('reads numbers with decimal commas, unless they may be thousands', async () => {
  const lines = (numbers: (i: number) => string) =>
    Array.from({ length: 60 }, (_, i) => `a text of number ${i};${numbers(i)}`).join('\n');
  const path = write('commas.csv', `text;note\n${lines((i) => (i % 5 ? `${i},${i % 9}` : `${i}`))}`);
  const { table, guesses } = await readDataFile(path);
  expect(table!.rows[1]).toEqual(['a text of number 1', '1.1']);
  expect(guesses[0]).toMatchObject({ task: 'regression', at: { text: 0, label: 1 } });
  const rows = parseRows(readFileSync(path, 'utf8'), path, { text: 'text', label: 'note', delimiter: ';' });
  expect([...scoreTargets(rows, [], path)].slice(0, 3)).toEqual([0, 1.1, 2.2].map(Math.fround));
  const thousands = write('thousands.csv', `text;note\n${lines((i) => `${i},${100 + i}`)}`);
  await expect(readDataFile(thousands, { label: 'note' })).rejects.toThrow('decimal comma in column "note"');
});

it.each([
  '{"data": [\n{"text": "a"},\n{"text": "b"}\n]}',
  '{"version": "1.0", "rows": [{"text": "a"}, {"text": "b"}], "count": 2}',
  '{\n  "tickets": [\n    {\n      "text": "a"\n    },\n    {"text": "b"}\n  ]\n}\n',
])('reads the list inside an object: %j', (content) => {
  const path = write('inside.json', content);
  expect(isDataFile(path)).toBe(true);
  const rows = parseRows(content, path, { text: 'text' });
  expect(rows.map(({ text }) => text)).toEqual(['a', 'b']);
  const line = content.slice(0, content.indexOf('{"text": "b"')).split('\n').length;
  expect(rows[1]!.line).toBe(line);
});

it('reads rows that have lists of objects as rows', () => {
  const messages = '{"messages": [{"role": "user", "content": "a"}]}';
  const spans = '{"text": "a", "spans": [{"start": 0}]}';
  for (const content of [messages, spans, `${spans}\n${spans}`, '{"a": [{"b": 1}]}\n{"a": []}']) {
    const lines = content.split('\n').length;
    expect([...jsonLines(content, new RowProblems('x'))]).toHaveLength(lines);
  }
});

it('names the line of a row with one field too few', async () => {
  const file = await readDataFile(write('few.csv', `text,label\n${rowsOf(9).join('\n')}\nno label\n`));
  expect(file.notices).toEqual([
    '1 row has another number of fields than the first (line 11). To skip them, set data.on_bad_row: skip.',
  ]);
});

it('remarks labels that differ only in case', async () => {
  const { told } = await startFrom(write('case.csv', 'text,label\na b,Spam\nc d,spam\ne f,ham\n'));
  expect(told).toContain('The labels "Spam", "spam" differ');
});

it('leaves out rows without a label, and says so', async () => {
  const path = write('gaps.csv', 'text,label\na text,yes\nanother,no\nmore,\nrest,\n');
  const { config, told } = await startFrom(path);
  expect(told).toContain('  label: label  # 2 labels: yes 1, no 1\n');
  expect(told).toContain('  on_bad_row: skip  # 2 rows have no label.');
  expect(config.data.on_bad_row).toBe('skip');
});

describe('the config of a file', () => {
  const here = process.cwd();
  const told: string[] = [];
  const tell = (line: string) => void told.push(line);
  /** The config as it is used, after it was written if it is new. */
  const used = async (options: object, path = 'work.csv', resume = false) => {
    told.length = 0;
    const { isNew, name, text, set } = await configForData(
      { path, options: { set: [], ...options }, resume },
      tell,
    );
    if (isNew) writeFileSync(name, text);
    return {
      name,
      config: readConfigText(text, name, set).value,
      written: parse(readFileSync(name, 'utf8')),
    };
  };
  const rows = Array.from(
    { length: 30 },
    (_, i) => `some text ${i},a message ${i},${'ab'[i % 2]},${'xyz'[i % 3]}`,
  );
  const first = {
    task: 'single_label_classification',
    model: 'adalora-mini',
    method: 'adalora',
    output: 'runs/work',
    data: { train: 'work.csv', text: 'text', label: 'label' },
  };
  const pair = `text,label\n${'a text,a\nb text,b\n'.repeat(3)}`;
  beforeAll(() => {
    mkdirSync(join(folder, 'work'));
    process.chdir(join(folder, 'work'));
    writeFileSync('work.csv', `text,message,label,team\n${rows.join('\n')}\n`);
  });
  afterAll(() => process.chdir(here));

  it('describes the file. Flags are settings of one call', async () => {
    const { config, written } = await used({
      set: ['training.weight_decay=0.1'],
      epochs: '2',
      output: 'runs/x',
    });
    expect(written).toEqual(first);
    expect(config).toEqual({
      ...first,
      output: 'runs/x',
      training: { num_train_epochs: 2, weight_decay: 0.1 },
    });
    expect(told.at(-1)).toBe('Flags apply to this run only. To keep a setting, write it in work.yaml.');
    expect(await used({})).toEqual({ name: 'work.yaml', config: first, written: first });
    expect(told).toEqual([
      'Using the existing work.yaml. To have the columns of work.csv chosen again, delete it.',
    ]);
  });

  it('refuses flags that name columns beside an existing config', async () => {
    await expect(used({ text: 'message' })).rejects.toThrow('work.yaml names the columns already');
  });

  it('has another name if the first is taken by other data, or by other YAML', async () => {
    mkdirSync('more', { recursive: true });
    writeFileSync('more/work.csv', pair);
    expect(await used({}, 'more/work.csv')).toMatchObject({
      name: 'work-2.yaml',
      written: { data: { train: 'more/work.csv' } },
    });
    expect(told).toContain('work.yaml is not a config for more/work.csv, so its config is work-2.yaml.');
    writeFileSync('listed.csv', pair);
    writeFileSync('listed.yaml', '- a\n');
    expect(await used({}, 'listed.csv')).toMatchObject({ name: 'listed-2.yaml' });
    expect(readFileSync('listed.yaml', 'utf8')).toBe('- a\n');
  });

  it('continues the newest run of its file', async () => {
    const begin = (name: string, train: string) => {
      mkdirSync(`runs/${name}`, { recursive: true });
      writeFileSync(`runs/${name}/config.yaml`, `data: { train: ${train} }\n`);
    };
    begin('work', 'work.csv');
    expect(await used({})).toMatchObject({ config: { output: 'runs/work-2' } });
    expect(told).toContain('runs/work contains an earlier run, so this run is written to runs/work-2.');
    begin('work-2', 'work.csv');
    begin('work-3', 'more/work.csv');
    expect(await used({}, 'work.csv', true)).toMatchObject({ config: { output: 'runs/work-2' } });
    expect(told).toContain('Resuming runs/work-2.');
    expect(await used({}, 'more/work.csv', true)).toMatchObject({ config: { output: 'runs/work-3' } });
  });

  it.each([
    ['an unknown method', { method: 'lorra' }, /method.*must be one of/],
    ['an unknown key', { set: ['training.epochs=2'] }, /not a known key/],
    ['a column that does not exist', { label: 'nothing' }, /nothing/],
  ])('is not written with %s', async (_, options, message) => {
    writeFileSync('fresh.csv', pair);
    await expect(used(options, 'fresh.csv')).rejects.toThrow(message);
    expect(existsSync('fresh.yaml')).toBe(false);
  });
});

it.each([
  ['data/tickets.csv', 'tickets'],
  ['a.b.jsonl.gz', 'a.b'],
  ['.csv', '.csv'],
  ['/data/tickets/.', 'tickets'],
])('the stem of %s is %s', (path, name) => expect(stem(path)).toBe(name));

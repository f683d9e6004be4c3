import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { readRows } from '../../../tests/support/read-rows.ts';
import { collect } from '../../support/arrays.ts';
import { MEDIA } from '../media/media.ts';
import { localData, textFile } from './node/text-files.ts';
import { parseRows } from './parse-rows.ts';
import type { DataOptions } from './rows.ts';

const NAMED: DataOptions = { text: 'text', label: 'label' };
const NUMBERED: DataOptions = { text: 0, label: 1 };
const MULTI: DataOptions = { ...NAMED, listed: true };

/** Formats rows as `line text|pair=label`. */
function read(content: string, fileName: string, options: DataOptions): string[] {
  return parseRows(content, fileName, options).map(({ line, text, textPair, label }) =>
    [
      `${line} ${text}`,
      textPair === undefined ? '' : `|${textPair}`,
      label === undefined ? '' : `=${label}`,
    ].join(''),
  );
}

describe('parseRows', () => {
  it.each([
    ['a header', 'x.tsv', 'label\ttext\n1\ta\n', NAMED, ['2 a=1']],
    ['no header', 'x.tsv', 'a\t1\nb\t0', NUMBERED, ['1 a=1', '2 b=0']],
    ['numbers beside a header', 'x.tsv', 't\tl\na\t1', { ...NUMBERED, header: true }, ['2 a=1']],
    ['CRLF, blank lines', 'x.tsv', 'text\tlabel\r\n\r\na\t1\r\n', NAMED, ['3 a=1']],
    ['a quote is a character in TSV', 'x.tsv', 'text\tlabel\n"a\t1\nb"\t0', NAMED, ['2 "a=1', '3 b"=0']],
    ['a quoted TSV', 'x.tsv', '"a\tb"\t1', { ...NUMBERED, quote: true }, ['1 a\tb=1']],
    ['CSV', 'x.csv', 'text,label\n"a, ""b""\nc",1\r\nd,0\n\ne,1', NAMED, ['2 a, "b"\nc=1', '4 d=0', '6 e=1']],
    ['CSV with CRLF', 'x.csv', 'text,label\r\n"a\r\nb",1\r\nc,0\r\n', NAMED, ['2 a\r\nb=1', '4 c=0']],
    ['CSV without quoting', 'x.csv', 'text,label\n"a,1', { ...NAMED, quote: false }, ['2 "a=1']],
    ['a CSV name on tabs', 'x.csv', 'a, "b\t1\textra\nc\t0', NUMBERED, ['1 a, "b=1', '2 c=0']],
    ['wider rows without header', 'x.tsv', 'a\t1\nb\t0\tc\td', NUMBERED, ['1 a=1', '2 b=0']],
    ['no label wanted', 'x.tsv', 'a\t\nb\t0', { text: 0 }, ['1 a', '2 b']],
    ['an empty text', 'x.tsv', '\t1', NUMBERED, ['1 =1']],
    ['plain lines', '-', 'one, two\nthree', { text: 0 }, ['1 one, two', '2 three']],
    ['spaces around a label', 'x.csv', 'text, label\na, 1 ', NAMED, ['2 a=1']],
    ['rows that end with a comma', 'x.csv', 'text,label\na,1,\nb,0,\n', NAMED, ['2 a=1', '3 b=0']],
    ['an empty last column', 'x.csv', 'text,label,\na,1,\nb,0,\n', NAMED, ['2 a=1', '3 b=0']],
    ['pairs', 'x.tsv', 'a\tb\t1', { ...NUMBERED, text_pair: 1, label: 2 }, ['1 a|b=1']],
    ['labels by semicolon', 'x.tsv', 'text\tlabel\na\tx; y\nb\t', MULTI, ['2 a=x,y', '3 b=']],
    ['labels by bar', 'x.tsv', 'text\tlabel\na\tx|y', { ...MULTI, label_separator: '|' }, ['2 a=x,y']],
    [
      'JSON lines',
      'x.jsonl',
      '{"text":"a","label":1}\r\n\n{"text":"b","label":true}',
      NAMED,
      ['1 a=1', '3 b=true'],
    ],
    [
      'JSON lists',
      'x.jsonl',
      '{"text":"a","label":["x",2]}\n{"text":"b","label":[]}',
      MULTI,
      ['1 a=x,2', '2 b='],
    ],
    [
      'JSON of numbers that no double holds',
      'x.jsonl',
      '{"text":"a","label":1234567890123456789}\n{"text":"b","label":1234567890123456788}',
      NAMED,
      ['1 a=1234567890123456789', '2 b=1234567890123456788'],
    ],
    [
      'a JSON list of them, in lists',
      'x.json',
      '[{"text":"a","label":[1234567890123456789, 1e400]},\n{"text":"b","label":[1234567890123456788]}]',
      MULTI,
      ['1 a=1234567890123456789,1e400', '2 b=1234567890123456788'],
    ],
    ['JSON on standard input', '-', '{"text":"a","label":0.5}', NAMED, ['1 a=0.5']],
    ['a format given', '-', 'text,label\na,1', { ...NAMED, format: 'csv' }, ['2 a=1']],
    ['a delimiter given', 'x.csv', 'text;label\n"a; b";1', { ...NAMED, delimiter: ';' }, ['2 a; b=1']],
    [
      'a JSON array, with its lines',
      'x.json',
      '[\n {"text": "a ]}\\" [", "label": 1},\n\n {"text": "b",\n"label": 0} ]\n',
      NAMED,
      ['2 a ]}" [=1', '4 b=0'],
    ],
    [
      'an array on one line',
      '-',
      '[{"text":"a","label":1},{"text":"b","label":2}]',
      NAMED,
      ['1 a=1', '1 b=2'],
    ],
  ] as [string, string, string, DataOptions, string[]][])(
    'reads %s',
    (_, fileName, content, options, rows) => {
      expect(read(content, fileName, options)).toEqual(rows);
    },
  );

  it.each([
    ['an empty file', 'x.tsv', '', NUMBERED, 'x.tsv is empty.'],
    ['blank lines only', 'x.csv', '\n\n', NAMED, 'x.csv is empty.'],
    [
      'a header only',
      'x.tsv',
      'text\tlabel\n',
      NAMED,
      'x.tsv has a header and no rows. If the first line is a row, set header: false (--no-header) and number the columns.',
    ],
    ['an empty JSON file', 'x.jsonl', '\n', NAMED, 'x.jsonl is empty.'],
    [
      'an unknown column',
      'x.tsv',
      'txt\tlabel\na\t1',
      NAMED,
      `x.tsv has no column "text". Did you mean txt? The file's columns: txt, label.`,
    ],
    ['a number too high', 'x.tsv', 'a\t1', { ...NUMBERED, label: 2 }, 'x.tsv has columns 0 to 1, not 2.'],
    [
      'a name without header',
      'x.tsv',
      'a\t1',
      { ...NAMED, header: false },
      'x.tsv has no header, so there is no column "text". Use the number of the column, from 0.',
    ],
    [
      'a name twice',
      'x.tsv',
      'text\ttext\tlabel\na\tb\t1',
      NAMED,
      'x.tsv has several columns "text". Use the number of the column, from 0.',
    ],
    [
      'some rows that end with a comma',
      'x.csv',
      'text,label\na,1,\nb,0\n',
      NAMED,
      'x.csv:2 has 3 fields instead of 2, as in the header.',
    ],
    [
      'ragged rows',
      'x.csv',
      'text,label\na,1\nb\nc,0,9',
      NAMED,
      'x.csv:3 has 1 field instead of 2, as in the header. The same in 2 rows: lines 3, 4.',
    ],
    [
      'ragged rows of CSV without header',
      'x.csv',
      'a,1\nb,0,9',
      NUMBERED,
      'x.csv:2 has 3 fields instead of 2, as in the first row.',
    ],
    [
      'rows too short',
      'x.tsv',
      'a\t1\nb\n',
      NUMBERED,
      'x.tsv:2 has 1 field instead of at least 2. If fields are enclosed in double quotes, set data.quote: true.',
    ],
    [
      'rows without a label',
      'x.tsv',
      `text\tlabel\n${'a\t \n'.repeat(7)}`,
      NAMED,
      'x.tsv:2 has no label in column label. To skip such rows, set data.on_bad_row: skip. The same in 7 rows: lines 2, 3, 4, 5, 6 and 2 more.',
    ],
    [
      'an open quote',
      'x.csv',
      'text,label\r\n"x\r\ny",1\r\n\r\n"a,1\r\nb,0\r\n',
      NAMED,
      'x.csv:5 opens a quote that is never closed. ' +
        'Double the quotes inside a quoted field, or set data.quote: false if quotes are plain characters here.',
    ],
    [
      'a quote inside a field',
      'x.csv',
      'text,label\na,1\n5" pipe,0\n',
      NAMED,
      'x.csv:3 has a quote in the middle of a field. ' +
        'Double the quotes inside a quoted field, or set data.quote: false if quotes are plain characters here.',
    ],
    [
      'JSON that is none',
      'x.jsonl',
      '{"text":"a","label":1}\nno',
      NAMED,
      'x.jsonl:2 is not valid JSON: Unexpected token \'o\', "no" is not valid JSON.',
    ],
    ['an empty JSON array', 'x.json', '[]', NAMED, 'x.json is empty.'],
    [
      'a JSON array of other things',
      'x.json',
      '[{"text":"a","label":1},\n[2]]',
      NAMED,
      'x.json:2 is not a JSON object but a list. Each row must be an object, such as {"text": "a text", "label": "a label"}.',
    ],
    [
      'a JSON array cut off',
      'x.json',
      '[{"text":"a"',
      NAMED,
      'x.json:1 ends before the JSON list is closed.',
    ],
    [
      'an unknown key',
      'x.jsonl',
      '{"txt":"a","label":1}',
      NAMED,
      `x.jsonl:1 has no column "text". Did you mean txt? The row's keys: txt, label.`,
    ],
    [
      'values of several wrong types',
      'x.jsonl',
      '{"text":"a","label":1}\n{"text":3,"label":null}\n{"label":["x"]}',
      NAMED,
      'x.jsonl:2 needs a string in "text", got a number. The same in 2 rows: lines 2, 3.\n' +
        'x.jsonl:2 needs a label in "label", got null. The same in 2 rows: lines 2, 3.',
    ],
    [
      'one label where lists are due',
      'x.jsonl',
      '{"text":"a","label":"x"}',
      MULTI,
      'x.jsonl:1 needs a list of labels in "label", got a string.',
    ],
    [
      'a numbered key',
      'x.jsonl',
      '{}',
      NUMBERED,
      'x.jsonl has no column 0, because its rows have named keys. Give the name of a key.',
    ],
    [
      'a key inherited from Object',
      'x.jsonl',
      '{"text":"a"}',
      { ...NAMED, label: 'constructor' },
      `x.jsonl:1 has no column "constructor". The row's keys: text.`,
    ],
  ] as [string, string, string, DataOptions, string | RegExp][])(
    'rejects %s',
    (_, fileName, content, options, message) => {
      expect(() => parseRows(content, fileName, options)).toThrow(message);
    },
  );
});

it('numbers the rows of a table that is read in several parts', () => {
  // Each row takes three lines, the last one blank. Together, the rows have over two million characters.
  const rows = Array.from(
    { length: 40_000 },
    (_, i) => `"${'é'.repeat(40)} ""${i}"",\r\nb",${i % 2}\r\n\r\n`,
  );
  const content = `text,label\r\n${rows.join('')}`;
  const read = parseRows(content, 'x.csv', NAMED);
  expect(read).toHaveLength(40_000);
  expect(read.every(({ line, label }, i) => line === 2 + 3 * i && label === `${i % 2}`)).toBe(true);
  expect(read[39_999]!.text).toBe(`${'é'.repeat(40)} "39999",\r\nb`);
  expect(() => parseRows(`${content}a"b,1\r\n`, 'x.csv', NAMED)).toThrow('x.csv:120002 has a quote');
});

it.each([
  [
    'x.csv',
    'text;label\na;1',
    'x.csv has no column "text". Fields seem to be separated by semicolons. Set data.delimiter, or use --delimiter \';\'.',
  ],
  [
    'x.tsv',
    'text,label\na,1',
    'x.tsv has no column "text". Fields seem to be separated by commas. Set data.delimiter, or use --delimiter ,.',
  ],
])('suggests the delimiter of a header: %s, %j', (name, content, hint) => {
  expect(() => parseRows(content, name, NAMED)).toThrow(hint);
});

describe('on_bad_row: skip', () => {
  const skipping = (content: string, name: string, options: DataOptions) => {
    const told: string[] = [];
    const rows = parseRows(content, name, { ...options, on_bad_row: 'skip' }, (message) =>
      told.push(message),
    );
    return { lines: rows.map(({ line }) => line), told };
  };

  it.each([
    ['a table', 'x.tsv', 'text\tlabel\na\t1\nragged\nb\t0\n\nc\t1', [undefined, 2, 3]],
    ['JSON lines', 'x.jsonl', '{"text":"a"}\n\n{"text":5}\n{\n{"text":"b"}', [undefined, 3]],
    ['a list on one line', 'x.json', '[{"text":"a"},{"text":5},{"text":6},{"text":"b"}]', [undefined, 3]],
  ])('keeps the indices of later rows: %s', (_, name, content, places) => {
    let skipped = 0;
    const options: DataOptions = { text: 'text', on_bad_row: 'skip' };
    const rows = parseRows(content, name, options, (_, count) => {
      skipped = count;
    });
    expect(rows.map(({ place }) => place)).toEqual(places);
    expect(skipped + rows.length).toBe(4);
  });

  it('skips ragged rows and those without label, counted and named', () => {
    const content = 'text\tlabel\na\t1\nb\nc\t\t\nd\t\ne\t0';
    expect(skipping(content, 'x.tsv', NAMED)).toEqual({
      lines: [2, 6],
      told: [
        '3 rows are skipped. x.tsv:3 has 1 field instead of 2, as in the header. If fields are enclosed in double ' +
          'quotes, set data.quote: true. The same in 2 rows: lines 3, 4. ' +
          'x.tsv:5 has no label in column label.',
      ],
    });
  });

  it('skips incomplete objects, once each', () => {
    const content = '{"text":"a","label":1}\nno\n{"text":null,"label":null}\n{"text":"b","label":0}';
    const { lines, told } = skipping(content, 'x.jsonl', NAMED);
    expect(lines).toEqual([1, 4]);
    expect(told).toEqual([expect.stringMatching(/^2 rows are skipped\. x\.jsonl:2 is not valid JSON: /)]);
  });

  it('prints nothing for valid rows, and rejects files without any', () => {
    expect(skipping('a\t1', 'x.tsv', NUMBERED)).toEqual({ lines: [1], told: [] });
    expect(() => skipping('text\tlabel\na\nb', 'x.tsv', NAMED)).toThrow('has 1 field instead of 2');
  });
});

it('rows without labels keep their number in the file', () => {
  const ids = (content: string, name: string) =>
    parseRows(content, name, { text: 'text' }).map(({ id }) => id);
  expect(ids('index\ttext\n7\ta\n9\tb', 'x.tsv')).toEqual(['7', '9']);
  expect(ids('{"text":"a","idx":0}\n{"text":"b","idx":1}', 'x.jsonl')).toEqual(['0', '1']);
  expect(ids('text\na', 'x.csv')).toEqual([undefined]);
  const large = ['1234567890123456789', '1234567890123456788'];
  expect(ids(large.map((id) => `{"text":"a","id":${id}}`).join('\n'), 'x.jsonl')).toEqual(large);
});

describe('readRows', () => {
  const folder = newFolder();
  const write = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it('reads UTF-8 with or without byte-order mark', () => {
    expect(readRows(write('train.tsv', '\ufefftext\tlabel\né\t1'), NAMED)).toEqual([
      { line: 2, text: 'é', label: '1' },
    ]);
  });

  it('reads UTF-16 with a byte-order mark, and tells how to convert it without one', () => {
    const content = 'text,label\r\né,1';
    const utf16 = (text: string) => Buffer.from(text, 'utf16le');
    const rows = [{ line: 2, text: 'é', label: '1' }];
    expect(readRows(write('u16.csv', utf16(`\ufeff${content}`)), NAMED)).toEqual(rows);
    expect(readRows(write('u16be.csv', utf16(`\ufeff${content}`).swap16()), NAMED)).toEqual(rows);
    expect(() => readRows(write('bare.csv', utf16(content)), NAMED)).toThrow(
      /zero bytes, .*iconv -f utf-16le -t utf-8 \S*bare\.csv > utf8-bare\.csv/,
    );
  });

  it("decompresses gzip, whatever the file's name, and no bombs", () => {
    const packed = gzipSync('text\tlabel\na\t1');
    expect(readRows(write('train.tsv.gz', packed), NAMED)).toEqual([{ line: 2, text: 'a', label: '1' }]);
    expect(readRows(write('packed.tsv', packed), NAMED)).toHaveLength(1);
    expect(() => readRows(write('cut.tsv.gz', packed.subarray(0, 20)), NAMED)).toThrow(
      '/cut.tsv.gz is not a valid gzip file: unexpected end of file.',
    );
    const bomb = gzipSync(new Uint8Array(2 ** 28 + 1), { level: 1 });
    expect(() => readRows(write('bomb.tsv.gz', bomb), NAMED)).toThrow(
      ' decompresses to more than 268435456 bytes. Decompress the file first.',
    );
  });

  it('rejects other bytes, a folder and a missing file', () => {
    expect(() => readRows(write('latin.tsv', Uint8Array.of(0xe9, 9, 0x31)), NUMBERED)).toThrow(
      '/latin.tsv is not UTF-8 text. Convert it, for example with iconv -t utf-8.',
    );
    expect(() => readRows(folder, NAMED)).toThrow('is a folder. Pass a file.');
    expect(() => readRows(join(folder, 'trian.tsv'), NAMED)).toThrow(
      'trian.tsv does not exist. Did you mean train.tsv, latin.tsv, train.tsv.gz?',
    );
    expect(() => readRows(join(folder, 'no', 'x.tsv'), NAMED)).toThrow('does not exist: there is no folder');
    mkdirSync(join(folder, 'below'));
    write('below/other.tsv', 'text\tlabel\na\t1');
    const other = join(relative('.', folder), 'other.tsv');
    expect(() => readRows(other, NAMED)).toThrow(
      /Did you mean .*below.other\.tsv\? Paths are relative to the current folder\./,
    );
  });
});

describe('hostile folders and files', () => {
  const folder = newFolder();
  const below = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  it('links to their own folder are not followed, and a pipe among images is refused', async () => {
    const photos = below('photos');
    for (const name of ['a.png', 'b.png']) writeFileSync(join(photos, name), 'x');
    for (const name of ['one', 'two']) symlinkSync(photos, join(photos, name));
    execFileSync('mkfifo', [join(photos, 'pipe.png')]);
    expect(localData.mediaIn(photos, MEDIA[0]!)).toEqual(['a.png', 'b.png', 'pipe.png']);
    const [file] = await localData.at(photos, false);
    await expect(file!.openContent!('pipe.png')).rejects.toThrow('is a folder, a device or a pipe');
    expect(() => localData.textFile(join(photos, 'pipe.png'))).toThrow('is a device or a pipe. Pass a file.');
  });

  it('two files of metadata are refused', async () => {
    const twice = below('twice');
    writeFileSync(join(twice, 'a.png'), 'x');
    for (const name of ['metadata.csv', 'metadata.jsonl']) writeFileSync(join(twice, name), '');
    await expect(localData.at(twice, false)).rejects.toThrow('has both metadata.csv and metadata.jsonl.');
  });

  it.each(['/etc/hostname', '../secret.png', 'C:\\secret.png'])('metadata cannot name %s', async (name) => {
    const album = below('album');
    writeFileSync(join(folder, 'secret.png'), 'secret');
    writeFileSync(join(album, 'a.png'), 'x');
    writeFileSync(join(album, 'metadata.csv'), `file_name,label\n${name},a\n`);
    const [file] = await localData.at(album, false);
    await expect(file!.openContent!(name)).rejects.toThrow('leads out of the folder');
    await expect(file!.openContent!('a.png')).resolves.toHaveLength(1);
  });

  it.each([
    ['latin.jsonl', '{"text": "a"}\n{"text": "caf\xe9"}', 'latin.jsonl:2 has bytes that are not UTF-8'],
    ['mixed.csv', 'text,label\ncaf\xc3\xa9,a\ncaf\xe9,b', 'mixed.csv:3 has bytes that are not UTF-8'],
    ['latin.csv', 'text,label\ncaf\xe9,b', undefined],
  ])(
    'bytes that are not UTF-8 in %s are refused with their line, or are Windows-1252',
    (name, text, message) => {
      const notices: string[] = [];
      writeFileSync(join(folder, name), Buffer.from(text, 'latin1'));
      const file = textFile(join(folder, name));
      const read = () => file.read((notice) => notices.push(notice));
      if (message !== undefined) expect(read).toThrow(message);
      else expect(read()).toContain('café');
      expect(notices).toHaveLength(message === undefined ? 1 : 0);
    },
  );
});

it('stops reading rows of a program when its signal is aborted, whether or not they wait', async () => {
  async function* endless(waits: boolean) {
    for (;;) {
      if (waits) await new Promise(() => {});
      yield { text: 'a' };
    }
  }
  for (const waits of [true, false])
    await expect(collect(endless(waits), AbortSignal.timeout(20))).rejects.toThrow('aborted due to timeout');
});

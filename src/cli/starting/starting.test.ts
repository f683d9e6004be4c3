import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chooseColumns } from './choose-columns.ts';
import { writeDataConfig } from './config-for-data.ts';
import { dataConfig, stem } from './data-config.ts';
import { describeChoice } from './describe-choice.ts';
import { isDataFile, readDataFile } from './read-data-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'starting-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** An input that contains these lines, as if typed in a terminal. Without lines, it is not a terminal. */
function terminal(...typed: string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: typed.length > 0 });
  const output = Object.assign(new PassThrough(), { isTTY: typed.length > 0 });
  const lines = [...typed];
  output.on('data', (shown) => {
    if (String(shown).includes('Which column')) input.write(`${lines.shift()}\n`);
  });
  return { input, output } as unknown as { input: NodeJS.ReadStream; output: NodeJS.WriteStream };
}

/** A file as German Excel writes it: semicolons, quotes, CRLF, Windows-1252. */
const rows = Array.from(
  { length: 12 },
  (_, i) => `${i};"Größe ""${i % 10}"" paßt nicht; schade";${'ab'[i % 2]};${'xyz'[i % 3]}`,
);
const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => `a text of number ${i},${i % 2 ? 'yes' : 'no'}`);
const excel = ['Nr;Beschreibung;Priorität;Zuständig', ...rows].join('\r\n');

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
    const file = await readDataFile(path);
    expect(file.guess).toMatchObject({ text: 1, label: 2, doubts: ['label'] });
    const chosen = await chooseColumns(file, {}, terminal());
    expect(describeChoice(file, chosen).replaceAll(folder, '')).toBe(
      [
        '/tickets.csv: 12 rows, 4 columns separated by semicolons',
        '  text   Beschreibung: 28 characters on average, such as "Größe "0" paßt nicht; schade"',
        '  label  Priorität: 2 labels: a 6, b 6',
        '2 rows repeat an earlier text.',
        '/tickets.csv is not UTF-8; reading it as Windows-1252, as spreadsheets write it.',
      ].join('\n'),
    );
    const config = dataConfig(file, chosen, 'tickets.yaml');
    expect(parse(config)).toEqual({
      output: 'runs/tickets',
      data: { train: path, text: 'Beschreibung', label: 'Priorität', delimiter: ';' },
    });
    expect(config).toContain('# The texts. Not used: Nr, Zuständig.\n');
  });

  it.each([
    [['3'], 2],
    [['Zuständig'], 3],
    [['nonsense', '9', '4'], 3],
    [[''], 2],
  ])('asks in a terminal about a doubtful column: %j is column %i', async (typed, label) => {
    const file = await readDataFile(write('doubt.csv', excel));
    expect(await chooseColumns(file, {}, terminal(...typed))).toMatchObject({ text: 1, label });
  });

  it('does not ask about a column with a flag, and reports all wrong flags at once', async () => {
    const file = await readDataFile(write('flags.csv', excel));
    expect(await chooseColumns(file, { label: 'Zuständig' }, terminal('1'))).toMatchObject({ label: 3 });
    const wrong = chooseColumns(file, { text: 'Beschreibng', label: 7 }, terminal());
    await expect(wrong).rejects.toThrow(
      /"Beschreibng", .*\. Did you mean Beschreibung\?[\s\S]*--label names "7", .*\. Its columns are 0 to 3\./,
    );
  });

  it('without a header uses column numbers, and numbers on a scale are a regression', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `a longer text ${i}\t${(i % 29) / 4}`);
    const file = await readDataFile(write('scale.tsv', lines.join('\n')));
    const config = parse(dataConfig(file, await chooseColumns(file, {}, terminal()), 'scale.yaml'));
    expect(config).toMatchObject({ task: 'regression', data: { text: 0, label: 1 } });
  });

  it('may end lines with CR alone, or with a comma', async () => {
    const lines = (end: string, header = end) =>
      `text,label${header}${rowsOf(30)
        .map((row) => row + end)
        .join('')}`;
    for (const content of [lines('\r'), lines(',\n', '\n'), lines(',\n')]) {
      const { table } = await readDataFile(write('ends.csv', content));
      expect(table).toMatchObject({ hasHeader: true, ragged: 0 });
      expect(table.columns.slice(0, 2)).toEqual(['text', 'label']);
      expect(table.rows).toHaveLength(30);
    }
    const ragged = write('ragged.csv', 'text,label\na,b,c\nd,e,f\n');
    await expect(readDataFile(ragged)).rejects.toThrow(
      'has 2 fields in its first line, and another number in every other line',
    );
  });

  it.each([
    ['sheet.xlsx', Buffer.from('PK\x03\x04\0\0\0'), 'Save the sheet as CSV'],
    ['one.csv', 'text\na\nb\n', 'has one column'],
    ['empty.csv', '', ' is empty.'],
  ])('is rejected: %s', async (name, content, message) => {
    await expect(readDataFile(write(name, content))).rejects.toThrow(message);
  });
});

it('remarks labels that differ only in case', async () => {
  const file = await readDataFile(write('case.csv', 'text,label\na b,Spam\nc d,spam\ne f,ham\n'));
  expect(describeChoice(file, { text: 0, label: 1 })).toContain(
    'The labels "Spam", "spam" differ only in case or spaces. They are different classes.',
  );
});

it('leaves out rows without a label, and says so', async () => {
  const path = write('gaps.csv', 'text,label\na text,yes\nanother,no\nmore,\nrest,\n');
  const file = await readDataFile(path);
  const chosen = { text: 0, label: 1 };
  expect(describeChoice(file, chosen)).toContain(
    'label: 2 labels: yes 1, no 1\n2 rows have no label and are left out.',
  );
  const config = dataConfig(file, chosen, 'gaps.yaml');
  expect(parse(config).data.on_bad_row).toBe('skip');
  expect(config).toContain('# 2 rows have no label.');
  expect(config).toContain('# 2 different labels in 4 rows.');
});

it('with one label is rejected before a config is written', async () => {
  const path = write('same.csv', `text,kind\n${'a text,yes\n'.repeat(3)}`);
  const config = join(folder, 'same.yaml');
  await expect(writeDataConfig(path, config, {}, () => {})).rejects.toThrow(
    /has only the label "yes" in column "kind", .*--label COLUMN \(text, kind\)/,
  );
  expect(existsSync(config)).toBe(false);
});

it.each([
  ['data/tickets.csv', 'tickets'],
  ['a.b.jsonl.gz', 'a.b'],
  ['.csv', '.csv'],
])('the stem of %s is %s', (path, name) => expect(stem(path)).toBe(name));

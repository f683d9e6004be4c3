import { describe, expect, it } from 'vitest';
import type { Row } from '../../input/data/rows.ts';
import { type Columns, columnsFor, rowsFromFile, rowsFromInput, useColumns } from './read-inputs.ts';

const COLA: Columns = { text: 3, label: 1, header: false, quote: false };
const MRPC: Columns = { text: '#1 String', text_pair: '#2 String', label: 'Quality' };

describe('useColumns', () => {
  const header = (run: Columns, flags: Parameters<typeof useColumns>[1], needsLabel = false) =>
    useColumns(run, flags, needsLabel).header;

  it('reads as in the run, without labels to predict', () => {
    expect(useColumns(COLA, {}, true)).toEqual(COLA);
    expect(useColumns(MRPC, {}, false)).toEqual({ ...MRPC, label: undefined, header: true });
  });

  it('keeps a header that the run had only for its label', () => {
    expect(header({ text: 0, label: 'label' }, {})).toBe(true);
  });

  it('detects a header again for other columns', () => {
    expect(header(COLA, { text: 'sentence' })).toBe(true);
    expect(header(COLA, { text: 0 })).toBe(false);
    expect(header({ text: 'sentence', label: 'label' }, { text: 0 })).toBe(false);
    expect(header({ text: 'sentence', label: 'label' }, { text: 0 }, true)).toBe(true);
    expect(header(MRPC, { text: 0, text_pair: 1, header: true })).toBe(true);
    expect(header(COLA, { header: true })).toBe(true);
  });

  it('asks for the column of the label if it is needed', () => {
    expect(() => useColumns({ text: 0 }, {}, true)).toThrow('--label needs the name of the label column');
  });
});

describe('rowsFromInput', () => {
  const texts = (rows: Row[]) =>
    rows.map(({ text, textPair }) => (textPair === undefined ? text : [text, textPair]));
  const predicting = (run: Columns) => useColumns(run, {}, false);

  it('reads one text per line, for any run with one text', () => {
    const content = 'A "quoted, cat.\r\n\nTwo\n';
    expect(texts(rowsFromInput(content, predicting(COLA)))).toEqual(['A "quoted, cat.', '', 'Two']);
    const named: Columns = { text: 'sentence', label: 'label', header: true };
    expect(texts(rowsFromInput('sentence\none', predicting(named)))).toEqual(['sentence', 'one']);
  });

  it('rejects a line that is longer than a text can be', () => {
    expect(() => rowsFromInput(`a b\n${'a,'.repeat(2 ** 20)}\n`, COLA)).toThrow(
      'standard input:2 has a line of more than 1048576 characters.',
    );
  });

  it('reads a table with the columns of the run', () => {
    expect(texts(rowsFromInput('gj04\t1\t\tThe sailors rode.\n', predicting(COLA)))).toEqual([
      'The sailors rode.',
    ]);
    const content = 'Quality\t#1 String\t#2 String\n1\ta\tb\n';
    expect(texts(rowsFromInput(content, predicting(MRPC)))).toEqual([['a', 'b']]);
    const unlabelled = '#1 String\t#2 String\na\tb\n';
    expect(texts(rowsFromInput(unlabelled, predicting(MRPC)))).toEqual([['a', 'b']]);
  });

  it('reads CSV if commas separate the names in use, or the columns of a pair are numbers', () => {
    const named: Columns = { text: 'sentence', label: 'label', header: true };
    const content = 'id,sentence\n1,"a, b\nc"\n2,d\n';
    expect(rowsFromInput(content, predicting(named))).toEqual([
      { line: 2, text: 'a, b\nc', id: '1' },
      { line: 4, text: 'd', id: '2' },
    ]);
    expect(texts(rowsFromInput('x,a\ny,"b, c"\n', predicting({ text: 0, text_pair: 1 })))).toEqual([
      ['x', 'a'],
      ['y', 'b, c'],
    ]);
    expect(texts(rowsFromInput('a, b\n', predicting({ text: 0 })))).toEqual(['a, b']);
    expect(texts(rowsFromInput('a;b\n', predicting({ text: 1, delimiter: ';' })))).toEqual(['b']);
  });

  it.each<[string, Columns, string]>([
    ['a delimiter', { text: 'text', label: 'label', delimiter: ';' }, 'text;label\nb;1\n'],
    ['quotes', { text: 'text', label: 'label', quote: true }, 'label,text\n1,"b"\n'],
    ['a delimiter, and columns by number', { text: 0, label: 1, delimiter: ';' }, 'b;1\n'],
    ['quotes, and columns by number', { text: 1, label: 0, quote: true }, '1,"b"\n'],
    ['quotes around one column', { text: 0, label: 1, quote: true }, '"b"\n'],
  ])('reads plain lines beside tables for a run with %s', (_, run, table) => {
    expect(texts(rowsFromInput(table, predicting(run)))).toEqual(['b']);
    const plain = ['A good film.', 'It was; and is.'];
    expect(texts(rowsFromInput(plain.join('\n'), predicting(run)))).toEqual(plain);
  });

  it('reads JSON Lines, with the keys text and text_pair for numbered columns', () => {
    expect(texts(rowsFromInput('{"text": "a"}\n{"text": "b"}\n', predicting(COLA)))).toEqual(['a', 'b']);
    expect(columnsFor('x.jsonl', { text: 5, text_pair: 6, label: 'score' })).toEqual({
      text: 'text',
      text_pair: 'text_pair',
      label: 'score',
    });
  });

  it('rejects lines of one text for a model of pairs', () => {
    expect(() => rowsFromInput('one\ntwo\n', predicting(MRPC))).toThrow(
      'standard input has one text per row, but two are needed: separate them with a tab, or use CSV or JSON Lines',
    );
    expect(() => rowsFromInput('', predicting(COLA))).toThrow('standard input has no rows.');
  });
});

describe('rowsFromFile', () => {
  const texts = (content: string, name: string, run: Columns, flags = {}) =>
    rowsFromFile(content, name, columnsFor(name, useColumns(run, flags, false))).map(({ text }) => text);
  const unknown: Columns = { text: 0 };

  it('reads a text per line like standard input, blank ones too', () => {
    const content = 'one, "two\r\n\nthree\n\n';
    for (const [run, name] of [
      [unknown, 'x.txt'],
      [unknown, 'x'],
      [{ text: 0, label: 1 }, 'x.tsv'],
    ] as const) {
      expect(texts(content, name, run)).toEqual(['one, "two', '', 'three', '']);
      const typed = rowsFromInput(content, useColumns(run, {}, false));
      expect(rowsFromFile(content, name, useColumns(run, {}, false))).toEqual(typed);
    }
  });

  it.each([
    ['x.csv', 'text\na\nb\n', ['a', 'b']],
    ['x.txt', 'text\na\nb\n', ['a', 'b']],
    ['x.csv', 'id,sentence\n1,a\n2,b\n', ['a', 'b']],
    ['x.tsv', 'sentence\tlabel\na\tx\nb\ty\n', ['a', 'b']],
    ['x.csv', 'A good film.\n"Bad, bad."\n', ['A good film.', 'Bad, bad.']],
    ['x.csv', 'text\na\ntext\n', ['text', 'a', 'text']],
  ])('finds the header of a table for a model without columns: %s %j', (name, content, found) => {
    expect(texts(content, name, unknown)).toEqual(found);
  });

  it('asks for the column of a table for a model without columns', () => {
    const table = 'title1,body1\n1,a\n2,b\n';
    expect(() => texts(table, 'x.csv', unknown)).toThrow(
      'x.csv has 2 columns, none named text (title1, body1). Say which',
    );
    expect(texts(table, 'x.csv', unknown, { text: 'body1' })).toEqual(['a', 'b']);
    expect(texts(table, 'x.csv', unknown, { text: 1 })).toEqual(['body1', 'a', 'b']);
    expect(() => rowsFromInput('1\ta\n', useColumns(unknown, {}, false))).toThrow('--text NUMBER');
  });
});

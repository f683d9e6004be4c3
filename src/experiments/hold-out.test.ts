import { describe, expect, it } from 'vitest';
import { holdOut } from './hold-out.ts';

describe('held-out rows', () => {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const numbers = Array.from({ length: 20 }, (_, i) => `row ${i}`);
  const options = { header: false, quote: false };

  it('are lines of a table, each on one side, with the header on both', () => {
    const parts = holdOut(`name\n${numbers.join('\n')}\n`, 'a.tsv', 0.25, { ...options, header: true });
    const [[head, ...train], [sameHead, ...heldOut]] = [lines(parts.train), lines(parts.heldOut)];
    expect([head, sameHead]).toEqual(['name', 'name']);
    expect([train.length, heldOut.length]).toEqual([15, 5]);
    expect([...train, ...heldOut].sort()).toEqual([...numbers].sort());
    expect(heldOut).not.toEqual(numbers.slice(0, 5));
    expect(holdOut(numbers.join('\n'), 'a.tsv', 0.25, options)).toEqual(
      holdOut(numbers.join('\n'), 'a.tsv', 0.25, options),
    );
  });

  it('keep a quoted field whole', () => {
    const records = numbers.map((text) => `"${text}\nmore ""quoted""",1`);
    const { train, heldOut } = holdOut(records.join('\n'), 'a.csv', 0.5, { ...options, quote: true });
    expect([train, heldOut].map((part) => part.match(/more/g)?.length)).toEqual([10, 10]);
    expect(records.every((record) => train.includes(record) !== heldOut.includes(record))).toBe(true);
  });

  it("are elements of JSON lists, articles of SQuAD's files, and blocks of texts", () => {
    const list = holdOut(JSON.stringify(numbers.map((text) => ({ text }))), 'a.json', 0.1);
    expect(JSON.parse(list.heldOut)).toHaveLength(2);
    expect(JSON.parse(list.train)).toHaveLength(18);
    const squad = holdOut(JSON.stringify({ version: '1.1', data: numbers }), 'a.json', 0.1);
    expect(JSON.parse(squad.heldOut)).toMatchObject({
      version: '1.1',
      data: [expect.anything(), expect.anything()],
    });
    const blocks = numbers.map((text) => `${text} O\nend O`).join('\n\n');
    expect(holdOut(blocks, 'a.conll', 0.1).heldOut.trim().split('\n\n')).toHaveLength(2);
  });

  it('of JSON lists keep numbers that a double cannot represent', () => {
    const rows = numbers.map((_, i) => `{"label": ${1234567890123456700n + BigInt(i)}}`);
    for (const content of [`[${rows}]`, `{"version": 1, "data": [${rows}]}`]) {
      const { train, heldOut } = holdOut(content, 'a.json', 0.1);
      const found = `${train}${heldOut}`.match(/12345678901234567\d\d/g);
      expect(new Set(found)).toHaveLength(numbers.length);
    }
  });

  it("are sentences of CoNLL columns whatever the file's name, and lines of JSON Lines", () => {
    const sentences = numbers.map((text) => `${text}\tO\nend\tO`).join('\n\n');
    for (const name of ['a.tsv', 'a.txt', 'a']) {
      const { train, heldOut } = holdOut(sentences, name, 0.1);
      expect([train, heldOut].map((part) => part.trim().split('\n\n').length)).toEqual([18, 2]);
    }
    const rows = numbers.map((text) => JSON.stringify({ text }));
    for (const name of ['a.jsonl', 'a.json', 'a'])
      expect(lines(holdOut(rows.join('\n'), name, 0.1).heldOut)).toHaveLength(2);
    for (const name of ['a.jsonl', 'a'])
      expect(JSON.parse(holdOut(`[${rows.join()}]`, name, 0.1).heldOut)).toHaveLength(2);
  });

  it('are rejected for a file that is too small', () => {
    expect(() => holdOut('one\ntwo\n', 'a.tsv', 0.1, options)).toThrow(
      'a.tsv has too few rows (2) to hold 0.1 of them out.',
    );
  });
});

import { expect, it } from 'vitest';
import { csvTable } from './predict.ts';

it('escapes control characters of labels and texts, and keeps letters of all languages', () => {
  const [header, line] = csvTable([{ label: 'a\u001b[2J', text: 'می\u200cشود, "b"\n' }]);
  expect(header).toBe('label,text');
  expect(line).toBe('a\\u{1b}[2J,"می\u200cشود, ""b""\n"');
});

it('has the columns that only later rows have', () => {
  const rows = [
    { text: 'a', label: 'x' },
    { text: 'b', text_pair: 'c', label: 'y' },
  ];
  expect([...csvTable(rows)]).toEqual(['text,label,text_pair', 'a,x,', 'b,y,c']);
});

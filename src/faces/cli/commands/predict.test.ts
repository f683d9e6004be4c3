import { expect, it } from 'vitest';
import { AnswerTable } from './predict.ts';

it('escapes control characters of labels and texts, and keeps letters of all languages', () => {
  const [header, line] = new AnswerTable().lines({ label: 'a\u001b[2J', text: 'می\u200cشود, "b"\n' });
  expect(header).toBe('label,text');
  expect(line).toBe('a\\u{1b}[2J,"می\u200cشود, ""b""\n"');
});

import { expect, it } from 'vitest';
import { UserError } from '../../support/user-error.ts';
import { rowsText } from './rows.ts';

it('rows in memory must be valid JSON values', () => {
  expect(rowsText([{ a: 1 }, { b: ['x'] }], 'data.train')).toBe('{"a":1}\n{"b":["x"]}\n');
  const own: Record<string, unknown> = {};
  own.own = own;
  for (const wrong of [{ a: 1n }, own]) {
    const read = () => rowsText([{ a: 1 }, wrong], 'data.train');
    expect(read).toThrow(UserError);
    expect(read).toThrow(/^data\.train, row 2 cannot be written as JSON: [^\n]+$/);
  }
});

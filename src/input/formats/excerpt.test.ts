import { expect, it } from 'vitest';
import { excerpt, excerptName } from './excerpt.ts';

it.each<[unknown, string]>([
  [undefined, 'nothing'],
  [null, 'null'],
  ['a"b', '"a\\"b"'],
  [[1, 'x'], '[1,"x"]'],
  // A control sequence of one byte, a direction override, a line separator and a lone surrogate.
  ['\u001b[1m\u009b\u202e\u2028\ud800', '"\\u001b[1m\\u{9b}\\u{202e}\\u{2028}\\ud800"'],
  ['x'.repeat(81), `"${'x'.repeat(80)}"…`],
  [Array(100).fill(10), `[${'10,'.repeat(53)}…`],
])('quotes %j', (value, expected) => expect(excerpt(value)).toBe(expected));

it('prints names without quotation marks', () => {
  expect(excerptName('layer.0"x\n')).toBe('layer.0\\"x\\n');
  expect(excerptName('')).toBe('');
  expect(excerptName('x'.repeat(1e6))).toBe(`${'x'.repeat(80)}…`);
});

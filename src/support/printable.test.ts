import { expect, it } from 'vitest';
import { printable } from './text.ts';

it('escapes control sequences of a terminal, and nothing else', () => {
  expect(printable('run\u001b]0;title\u0007 \u009b2J\u202e a\r\n\tb ü 猫')).toBe(
    'run\\u{1b}]0;title\\u{7} \\u{9b}2J\\u{202e} a\\u{d}\n\tb ü 猫',
  );
});

import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellQuoted } from './plain-text.ts';

it('splits into the original words in a shell', () => {
  const words = [
    'a.yaml',
    '--set',
    "data.text=#1 'String'",
    'adalora.target_modules=[query, value]',
    '$HOME',
    '',
  ];
  expect(shellQuoted(words.slice(0, 2))).toBe('a.yaml --set');
  expect(execFileSync('sh', ['-c', `printf '%s\\n' ${shellQuoted(words)}`], { encoding: 'utf8' })).toBe(
    words.map((word) => `${word}\n`).join(''),
  );
});

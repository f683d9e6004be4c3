import { expect, it } from 'vitest';
import { classTable } from './eval.ts';

it('the mean of classes excludes those that are neither present nor predicted', () => {
  const counts = [
    [2, 1, 0],
    [0, 2, 0],
    [0, 0, 0],
  ];
  expect(classTable({ labels: ['a', 'b', 'none'], counts })).toMatchInlineSnapshot(`
    "                         precision  recall      F1  rows  as a  as b  as none
    a                           1.0000  0.6667  0.8000     3     2     1        0
    b                           0.6667  1.0000  0.8000     2     0     2        0
    none                        0.0000  0.0000  0.0000     0     0     0        0
    mean of classes (macro)     0.8333  0.8333  0.8000     5"
  `);
});

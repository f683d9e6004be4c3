import { expect, it } from 'vitest';
import { yamlDocument } from './yaml-document.ts';

it('has an error for an alias inside its own anchor', () => {
  const errorsOf = (text: string) => yamlDocument(text).errors.map(({ message }) => message.split('\n')[0]);
  const error = 'The alias *a is inside the value that it stands for';
  expect(errorsOf('a: &a {b: *a}')).toEqual([error]);
  expect(errorsOf('- &a\n  - x\n  - - *a')).toEqual([error]);
  expect(errorsOf('x: &a {b: &a 1, c: *a}\ny: *a\nz: [&b [1], *b]')).toEqual([]);
});

it('has keys as they are written, and an error for each that comes again', () => {
  const document = yamlDocument('1: a\n1.0: b\n~: {x: 1, "x": 2}\n1: c\n');
  expect(document.errors.map(({ message }) => message.split('\n')[0])).toEqual([
    'Map keys must be unique',
    'Map keys must be unique',
  ]);
  expect(document.errors.map(({ pos }) => pos[0])).toEqual([22, 30]);
  expect(yamlDocument('1: a\n1.0: b\n~: c\n').toJS()).toEqual({ '1': 'a', '1.0': 'b', '~': 'c' });
});

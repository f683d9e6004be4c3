import { expect, it } from 'vitest';
import { yamlDocument } from './yaml-document.ts';

it('has keys as they are written, and an error for each that comes again', () => {
  const document = yamlDocument('1: a\n1.0: b\n~: {x: 1, "x": 2}\n1: c\n');
  expect(document.errors.map(({ message }) => message.split('\n')[0])).toEqual([
    'Map keys must be unique',
    'Map keys must be unique',
  ]);
  expect(document.errors.map(({ pos }) => pos[0])).toEqual([22, 30]);
  expect(yamlDocument('1: a\n1.0: b\n~: c\n').toJS()).toEqual({ '1': 'a', '1.0': 'b', '~': 'c' });
});

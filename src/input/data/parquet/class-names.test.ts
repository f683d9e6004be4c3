import { expect, it } from 'vitest';
import { namesIn } from './class-names.ts';

const card = (names: unknown) => namesIn({ class_label: { names } });

it('reads class names by their numbers', () => {
  expect(namesIn({ _type: 'ClassLabel', names: ['bad', 'good'] })).toEqual(['bad', 'good']);
  expect(namesIn({ feature: { _type: 'ClassLabel', names: ['O', 'B'] } })).toEqual(['O', 'B']);
  expect(card({ 1: 'good', 0: 'bad' })).toEqual(['bad', 'good']);
});

it.each([
  ['gaps between the numbers', { 0: 'bad', 2: 'good' }],
  ['numbers from 1', { 1: 'bad', 2: 'good' }],
  ['numbers written otherwise', { '00': 'bad', '01': 'good' }],
  ['one name twice', ['bad', 'bad']],
  ['a name that is a number', { 0: 'bad', 1: 5 }],
  ['none', []],
])('finds no names with %s', (_, names) => expect(card(names)).toBeUndefined());

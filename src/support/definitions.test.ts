import { expect, it } from 'vitest';
import { Definitions } from './definitions.ts';

const MODULE = { url: 'file:///mine.js' };
const fruits = () => {
  const all = new Definitions<number>('fruit');
  all.addBuiltIn({ apple: 1 });
  return all;
};

it('adds definitions of programs after its own, and knows their modules', () => {
  const all = fruits();
  const { names } = all;
  all.define('pear_2', 2, MODULE);
  expect(names).toEqual(['apple', 'pear_2']);
  expect(['apple', 'pear_2'].map((name) => all.moduleOf(name))).toEqual([undefined, MODULE.url]);
});

it('replaces a definition of the same module only', () => {
  const all = fruits();
  all.define('pear', 2, MODULE);
  all.define('pear', 3, MODULE);
  expect([all.named('pear'), all.names.length]).toEqual([3, 2]);
  expect(() => all.define('pear', 4, { url: 'file:///other.js' })).toThrow(
    'the fruit "pear" is already defined by file:///mine.js',
  );
  expect(() => all.define('apple', 4, MODULE)).toThrow('the fruit "apple" is built in: choose another name');
});

it('refuses names that are no key of a config', () => {
  for (const name of ['Pear', '', '2', 'a-b', '__proto__'])
    expect(() => fruits().define(name, 1, MODULE)).toThrow('must have a name of small letters');
});

it('adds built-in definitions before those that a program defined earlier', () => {
  const all = new Definitions<number>('fruit');
  all.define('pear', 2, MODULE);
  all.addBuiltIn({ apple: 1, plum: 3 });
  expect(all.names).toEqual(['apple', 'plum', 'pear']);
  expect(all.modules()).toEqual([MODULE.url]);
  expect(() => all.addBuiltIn({ pear: 4 })).toThrow('the fruit "pear" is built in: choose another name');
});

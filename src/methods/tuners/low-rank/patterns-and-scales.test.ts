import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../support/user-error.ts';
import { checkPatternKeys, patternValue, sortablePattern } from './patterns-and-scales.ts';

interface Fixture {
  patterns: { patterns: Record<string, number>; module: string; value: number | null }[];
}

const fixture = JSON.parse(readFileSync('src/methods/tuners/fixtures/oracle.json', 'utf8')) as Fixture;

describe('equal to PEFT', () => {
  it.each(fixture.patterns)('$patterns $module', ({ patterns, module, value }) => {
    expect(patternValue(patterns, module) ?? null).toBe(value);
  });
});

describe('patterns of a hostile adapter', () => {
  const modules = Array.from({ length: 300 }, (_, i) => `bert.encoder.layer.${i}.attention.self.query`);

  it('that RegExp would match forever have values, or are rejected', () => {
    const patterns = { '(?=.)(?:[a-z0-9._]+)+!': 1, '(?:[a-z0-9._]+)+query': 2, value: 3 };
    expect(modules.map((module) => patternValue(patterns, module))).toEqual(modules.map(() => 2));
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`(?:.?.?){50}(?:a|a)*${i}!`, i]));
    expect(() => modules.map((module) => patternValue(many, module))).toThrow(UserError);
    expect(() => patternValue({ '(q)\\1': 1 }, 'a')).toThrow('it refers to what a group matched');
  });

  it('that are twenty thousand paths are compared with each module', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `encoder.layer.${i}.attention.self.query`);
    const many = Object.fromEntries(keys.map((key, i) => [key, i]));
    expect(modules.map((module) => patternValue(many, module))).toEqual(modules.map((_, i) => i));
    expect(() => checkPatternKeys(many, modules, 'lora.rank_pattern')).toThrow('layer.300.attention');
  });

  it('a dot in a key stands for any character, as in a regular expression', () => {
    expect(patternValue({ 'layer.1.q': 1 }, 'a.layerx1xq')).toBe(1);
    expect(patternValue({ 'layer.1.q': 1 }, 'alayer.1.q')).toBeUndefined();
    expect(patternValue({ 'layer.1.q': 1 }, 'layer.1.qq')).toBeUndefined();
  });
});

it('reports keys that match no module', () => {
  const modules = ['layer.0.query', 'layer.0.value'];
  expect(() =>
    checkPatternKeys({ query: 1, 'layer.0.value': 2 }, modules, 'lora.rank_pattern'),
  ).not.toThrow();
  expect(() =>
    checkPatternKeys({ 'layer.0.valu': 1 }, modules, 'lora.rank_pattern'),
  ).toThrowErrorMatchingInlineSnapshot(
    `[UserError: lora.rank_pattern has "layer.0.valu", which is not an adapted module. Did you mean layer.0.value, layer.0.query?]`,
  );
});

describe('a pattern for a file, in which keys are sorted', () => {
  const modules = ['layer.0.key', 'layer.0.value', 'layer.1.value'];

  it('names modules by path if another order of the keys has another meaning', () => {
    const given = { value: 3, 'layer.0.value': 10 };
    expect(patternValue({ 'layer.0.value': 10, value: 3 }, 'layer.0.value')).toBe(10);
    expect(sortablePattern(given, modules)).toEqual({ 'layer.0.value': 3, 'layer.1.value': 3 });
  });

  it('is as given otherwise', () => {
    const given = { value: 3, key: 2 };
    expect(sortablePattern(given, modules)).toBe(given);
  });
});

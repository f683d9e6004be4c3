import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkPatternKeys, patternValue, sortablePattern } from './pattern-value.ts';

interface Fixture {
  patterns: { patterns: Record<string, number>; module: string; value: number | null }[];
}

const fixture = JSON.parse(readFileSync('src/tuners/fixtures/oracle.json', 'utf8')) as Fixture;

describe('equal to PEFT', () => {
  it.each(fixture.patterns)('$patterns $module', ({ patterns, module, value }) => {
    expect(patternValue(patterns, module) ?? null).toBe(value);
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

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkPatternKeys, patternValue } from './pattern-value.ts';

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

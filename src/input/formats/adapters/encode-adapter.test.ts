import { expect, it } from 'vitest';
import { formatAdapterConfig } from './encode-adapter.ts';

it('sorts keys at every depth, and writes floats with a decimal point', () => {
  const config = { b: { scaling: 1, r: 8, dropout: 0.5, name: '"scaling": 1' }, a: { scaling: -3 } };
  expect(formatAdapterConfig(config, ['scaling', 'dropout'])).toBe(`{
  "a": {
    "scaling": -3.0
  },
  "b": {
    "dropout": 0.5,
    "name": "\\"scaling\\": 1",
    "r": 8,
    "scaling": 1.0
  }
}`);
  expect(formatAdapterConfig({ scaling: 1 })).toBe('{\n  "scaling": 1\n}');
});

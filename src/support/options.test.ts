import { describe, expect, it } from 'vitest';
import {
  ANYTHING,
  acceptOne,
  assertOptions,
  BOOLEAN,
  COUNT,
  FUNCTION,
  NUMBER,
  OBJECT,
  SIGNAL,
  TEXT,
} from './options.ts';

const TYPES = {
  baseDtype: acceptOne('float32', 'int8'),
  batchSize: COUNT,
  embeds: BOOLEAN,
  onNotice: FUNCTION,
  name: TEXT,
  scale: NUMBER,
  reading: OBJECT,
  signal: SIGNAL,
  data: ANYTHING,
};

describe('options of a function', () => {
  it('are known, of their types, or undefined', () => {
    const { signal } = new AbortController();
    assertOptions('open', { baseDtype: 'int8', batchSize: 1, embeds: false, onNotice() {}, name: '' }, TYPES);
    assertOptions('open', { scale: 0.5, reading: {}, signal, data: null, name: undefined }, TYPES);
  });

  it.each([
    [{ base_dtype: 'int8' }, 'open: `base_dtype` is not a known option. Did you mean baseDtype?'],
    [{ baseDtype: 'int9' }, 'open: `baseDtype` must be float32 or int8, got "int9".'],
    [{ batchSize: '8' }, 'open: `batchSize` must be a whole number of at least 1, got "8".'],
    [{ batchSize: 0, embeds: 1 }, 'got 0.\nopen: `embeds` must be true or false, got 1.'],
    [{ signal: {} }, 'open: `signal` must be an AbortSignal, got {}.'],
    [{ constructor: 1 }, 'open: `constructor` is not a known option.'],
    [null, 'open needs an object with options, got null.'],
    ['cpu', 'open needs an object with options, got "cpu".'],
  ])('%j are rejected', (options, message) => {
    expect(() => assertOptions('open', options, TYPES)).toThrow(message);
  });
});

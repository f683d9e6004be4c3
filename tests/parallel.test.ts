import { describe, expect, it } from 'vitest';
import {
  ALONE,
  assertEqual,
  type Communicator,
  countThreads,
  encode,
  isAgreed,
} from '../src/program/parallel/communicator.ts';
import { dealJson, dealNumbers, findRows } from '../src/program/parallel/deal.ts';
import { assertAgreed } from '../src/studies/jobs/open-run.ts';

/** A process among others whose contributions to `gather` are given, call after call. */
function among(rank: number, hosts: readonly string[], ...gathered: Uint8Array[][]): Communicator {
  return { ...ALONE, rank, size: hosts.length, hosts, gather: () => gathered.shift() as Uint8Array[] };
}

const thrownBy = (act: () => void): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('rows', () => {
  it.each([
    [7, 3, ['0-3', '3-5', '5-7']],
    [2, 3, ['0-1', '1-2', '2-2']],
  ])('of %i are divided among %i processes without gap', (count, size, expected) => {
    const parts = Array.from({ length: size }, (_, rank) => findRows({ ...ALONE, rank, size }, count));
    expect(parts.map(({ start, end }) => `${start}-${end}`)).toEqual(expected);
  });
});

describe('dealt work', () => {
  it('is done by the right process, and returns in order', async () => {
    const done: number[] = [];
    const all = [
      [['a', 'c'], 'e'],
      ['b', 'd'],
    ].map((own) => encode(own.flat()));
    const results = await dealJson(among(1, ['x', 'y'], all), 5, async (piece) => {
      done.push(piece);
      return 'abcde'[piece];
    });
    expect(done).toEqual([1, 3]);
    expect(results.join('')).toBe('abcde');
  });

  it('keeps vectors of any length bit for bit', async () => {
    const vectors = [Float32Array.of(0.1, -0, Number.NaN), new Float32Array(), Float32Array.of(1e-42)];
    // A process that gets its own messages twice: half of the work that it deals is not done.
    const echo: Communicator = { ...ALONE, size: 2, hosts: ['x', 'y'], gather: (bytes) => [bytes, bytes] };
    const dealt = await dealNumbers(echo, 6, async (piece) => vectors[piece / 2]!);
    expect(dealt).toEqual(vectors.flatMap((vector) => [vector, vector]));
  });
});

describe('facts that must be the same', () => {
  const hosts = ['a', 'b', 'b'];

  it('are reported with both sides if they differ', () => {
    const facts = (rate: string, file: string) =>
      encode({ version: '1', learning_rate: rate, 'the file x': file });
    const all = [facts('1', 'f'), facts('1', 'f'), facts('2', 'g')];
    const error = thrownBy(() => assertAgreed(among(0, hosts, all), {}));
    expect((error as Error).message).toBe(
      'process 2 (b) has another config, data, model or version than process 0 (a): ' +
        'learning_rate 2, the file x g instead of learning_rate 1, the file x f. Give every host the same files and the same installation.',
    );
    expect(isAgreed(error)).toBe(true);
    expect(thrownBy(() => assertAgreed(among(0, hosts, [all[0]!, all[0]!, all[0]!]), {}))).toBeUndefined();
  });

  it('end a run in which values have diverged', () => {
    const state = (values: string) => encode({ values, 'rank pattern': '{}' });
    const error = thrownBy(() =>
      assertEqual(among(1, hosts, [state('1f'), state('2e'), state('1f')]), 40, {}),
    );
    expect((error as Error).message).toContain(
      'step 40: values differ between processes: process 0 (a) has 1f and process 1 (b) has 2e',
    );
  });
});

describe('threads', () => {
  const cores = (count: number, list: string) => encode({ count, list });
  it.each([
    [
      'share the cores of their host',
      ['a', 'a', 'b'],
      [cores(8, '0-7'), cores(8, '0-7'), cores(8, '0-7')],
      4,
    ],
    ['have the cores that the launcher has bound them to', ['a', 'a'], [cores(3, '0-2'), cores(3, '3-5')], 3],
    ['are one at least', ['a', 'a', 'a'], [cores(2, '0-1'), cores(2, '0-1'), cores(2, '0-1')], 1],
  ])('%s', (_, hosts, all, threads) => {
    expect(countThreads(among(0, hosts, all), JSON.parse(new TextDecoder().decode(all[0])))).toBe(threads);
  });
});

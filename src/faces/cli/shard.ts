import { InvalidArgumentError, Option } from 'commander';

/** A shard of several runs: every n-th run, starting with the i-th. */
export interface Shard {
  /** i, the number of this shard, from 1 */
  number: number;
  /** n, the number of shards */
  of: number;
}

export function shardOption(): Option {
  return new Option('--shard <i/n>', 'run only every n-th run, starting with the i-th')
    .argParser(shard)
    .default({ number: 1, of: 1 }, '1/1');
}

export function inShard<T>(runs: readonly T[], { number, of }: Shard): T[] {
  return runs.filter((_, i) => i % of === number - 1);
}

function shard(value: string): Shard {
  const [, number, of] = (/^(\d{1,4})\/(\d{1,4})$/.exec(value) ?? []).map(Number) as [number, number, number];
  if (number >= 1 && number <= of) return { number, of };
  throw new InvalidArgumentError('Use i/n with i from 1 to n, such as 2/8.');
}

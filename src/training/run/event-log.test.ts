import { expect, it } from 'vitest';
import { filesInMemory } from '../../../tests/support/files-in-memory.ts';
import { logValues } from './event-log.ts';

it('skips lines that are not JSON, up to as many as no run leaves', () => {
  const run = filesInMemory();
  const read = (damaged: number) => {
    run.write('metrics.jsonl', `{"a": 1}\n${'{\n'.repeat(damaged)}{"a": 2}\n{"a`);
    return logValues(run);
  };
  expect(read(999)).toEqual([{ a: 1 }, { a: 2 }]);
  expect(() => read(1000)).toThrow('metrics.jsonl has more than 1000 lines that are not JSON.');
});

import { expect, it } from 'vitest';
import { WorkLoop } from './queue.ts';

it('does rounds while there is work, ends all work with an error, and starts again', async () => {
  const work: string[] = [];
  const log: string[] = [];
  const loop = new WorkLoop(
    () => work.length > 0,
    async () => {
      const [next] = work;
      await new Promise(setImmediate);
      if (next === 'bad') throw new Error('a fault');
      log.push(`did ${work.shift()}`);
    },
    (error) => log.push(`${error} for ${work.splice(0)}`),
  );
  const add = async (...all: string[]) => {
    work.push(...all);
    loop.start();
    loop.start();
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  };
  await add('a', 'b');
  await add('bad', 'c');
  await add('d');
  expect(log).toEqual(['did a', 'did b', 'Error: a fault for bad,c', 'did d']);
});

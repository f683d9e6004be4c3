import { expect, it } from 'vitest';
import { OwnModels } from './own-models.ts';

function openers() {
  const log: string[] = [];
  const open = (name: string) => async () => {
    log.push(`open ${name}`);
    return {
      vocabSize: 1,
      read: () => Promise.reject(new Error('not read')),
      async release() {
        log.push(`release ${name}`);
      },
    };
  };
  return { log, open };
}

it('does one thing at a time with each model, and keeps those used lately', async () => {
  const { log, open } = openers();
  const models = new OwnModels(1, 10);
  const [a, b] = [{}, {}];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve));
    log.push(`${name} ends`);
  };
  await Promise.all([models.use(a, open('a'), work('first')), models.use(a, open('a'), work('second'))]);
  expect(log).toEqual(['open a', 'first begins', 'first ends', 'second begins', 'second ends']);
  await models.use(b, open('b'), async () => {});
  expect(log.slice(5)).toEqual(['release a', 'open b']);
  await models.close();
  expect(log.at(-1)).toBe('release b');
});

it('opens no more than it may, however many are asked for at once', async () => {
  const { log, open } = openers();
  const models = new OwnModels(2, 10);
  const [a, b, c] = [{}, {}, {}];
  const first = models.use(a, open('a'), () => new Promise((resolve) => setTimeout(resolve)));
  const others = [models.use(b, open('b'), async () => {}), models.use(c, open('c'), async () => {})];
  const again = models.use(b, open('b'), async () => 'well');
  await Promise.all([first, ...others]);
  expect(await again).toBe('well');
  let [opened, most] = [0, 0];
  for (const line of log) {
    opened += line.startsWith('open') ? 1 : -1;
    most = Math.max(most, opened);
  }
  expect([log.includes('open c'), most]).toEqual([true, 2]);
});

it('says that too many wait, and goes on after one that failed', async () => {
  const { open } = openers();
  const models = new OwnModels(1, 1);
  const key = {};
  const failing = models.use(key, open('a'), () => Promise.reject(new Error('failed')));
  await expect(models.use(key, open('a'), async () => {})).rejects.toThrow(
    'The server is overloaded: 1 requests are waiting. Try again later.',
  );
  await expect(failing).rejects.toThrow('failed');
  expect(await models.use(key, open('a'), async () => 'well')).toBe('well');
});

it('opens anew what could not be opened', async () => {
  const { open } = openers();
  const models = new OwnModels(1, 1);
  const key = {};
  const broken = () => Promise.reject(new Error('no memory'));
  await expect(models.use(key, broken, async () => {})).rejects.toThrow('no memory');
  expect(await models.use(key, open('a'), async () => 'well')).toBe('well');
});

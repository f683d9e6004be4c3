import { expect, it } from 'vitest';
import { OwnSessions } from './own-sessions.ts';

function openers() {
  const log: string[] = [];
  const open = (name: string) => async () => {
    log.push(`open ${name}`);
    return {
      async release() {
        log.push(`release ${name}`);
      },
    };
  };
  return { log, open };
}

it('runs one request at a time with each session, and keeps recently used ones', async () => {
  const { log, open } = openers();
  const sessions = new OwnSessions(1, 10);
  const [a, b] = [{}, {}];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve));
    log.push(`${name} ends`);
  };
  await Promise.all([sessions.use(a, open('a'), work('first')), sessions.use(a, open('a'), work('second'))]);
  expect(log).toEqual(['open a', 'first begins', 'first ends', 'second begins', 'second ends']);
  await sessions.use(b, open('b'), async () => {});
  expect(log.slice(5)).toEqual(['release a', 'open b']);
  await sessions.close();
  expect(log.at(-1)).toBe('release b');
});

it('opens no more than the limit, however many are requested at once', async () => {
  const { log, open } = openers();
  const sessions = new OwnSessions(2, 10);
  const [a, b, c] = [{}, {}, {}];
  const first = sessions.use(a, open('a'), () => new Promise((resolve) => setTimeout(resolve)));
  const others = [sessions.use(b, open('b'), async () => {}), sessions.use(c, open('c'), async () => {})];
  const again = sessions.use(b, open('b'), async () => 'well');
  await Promise.all([first, ...others]);
  expect(await again).toBe('well');
  let [opened, most] = [0, 0];
  for (const line of log) {
    opened += line.startsWith('open') ? 1 : -1;
    most = Math.max(most, opened);
  }
  expect([log.includes('open c'), most]).toEqual([true, 2]);
});

it('reports that too many wait, and continues after a failure', async () => {
  const { open } = openers();
  const sessions = new OwnSessions(1, 1);
  const key = {};
  const failing = sessions.use(key, open('a'), () => Promise.reject(new Error('failed')));
  await expect(sessions.use(key, open('a'), async () => {})).rejects.toThrow(
    'The server is overloaded: 1 requests are waiting. Try again later.',
  );
  await expect(failing).rejects.toThrow('failed');
  expect(await sessions.use(key, open('a'), async () => 'well')).toBe('well');
});

it('tries again after a failed opening', async () => {
  const { open } = openers();
  const sessions = new OwnSessions(1, 1);
  const key = {};
  const broken = () => Promise.reject(new Error('no memory'));
  await expect(sessions.use(key, broken, async () => {})).rejects.toThrow('no memory');
  expect(await sessions.use(key, open('a'), async () => 'well')).toBe('well');
});

import { afterEach, expect, it, vi } from 'vitest';
import { Desk } from './desk.ts';

afterEach(() => vi.unstubAllGlobals());

const rowsOf = (...labels: string[]) =>
  Array.from({ length: 40 }, (_, i) => `text number ${i}\t${labels[i % labels.length]}`).join('\n');

it('has the file that was opened last, also where an earlier one takes longer to read', async () => {
  vi.stubGlobal('crossOriginIsolated', false);
  const desk = new Desk(new URL('https://example.org/'));
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const slow = new File([rowsOf('old', 'older')], 'slow.tsv');
  const bytes = slow.arrayBuffer();
  slow.arrayBuffer = () => arrived.then(() => bytes);
  const first = desk.open(slow, false);
  await desk.open(new File([rowsOf('new', 'newer')], 'quick.tsv'), false);
  arrive();
  await first;
  expect(desk.choose(0, 1).labels.map(([label]) => label)).toEqual(['new', 'newer']);
});

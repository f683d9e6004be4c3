import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Desk } from './desk.ts';

// No server runs at this address.
const SITE = new URL('http://127.0.0.1:1/');
const LABELS = { goal: 'labels', at: [0, 1] } as const;
const rowsOf = (...labels: string[]) =>
  Array.from({ length: 40 }, (_, i) => `text number ${i}\t${labels[i % labels.length]}`).join('\n');

beforeEach(() => {
  vi.stubGlobal('crossOriginIsolated', false);
  vi.stubGlobal('navigator', {});
});
afterEach(() => vi.unstubAllGlobals());

it('has the file that was opened last, even if an earlier one takes longer to read', async () => {
  const desk = new Desk(SITE);
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
  expect(desk.choose(LABELS)).toMatchObject({
    labels: [
      ['new', 20],
      ['newer', 20],
    ],
  });
});

it('trains on the file that was open at the request', async () => {
  const desk = new Desk(SITE);
  await desk.open(new File([rowsOf('old', 'older')], 'first.tsv'), false);
  const begun = vi.fn();
  const watcher = { begun, event() {}, checkpoint() {} };
  const trained = desk.train(LABELS, { epochs: 1, rank: 2 }, watcher);
  const opened = desk.open(new File([rowsOf('new', 'newer')], 'second.tsv'), false);
  // Training fails, because the encoder is not available.
  await expect(trained).rejects.toThrow(/config\.json/);
  expect(begun).toHaveBeenCalledWith(expect.objectContaining({ fileName: 'first.tsv', trainRows: 32 }));
  await opened;
});

it('runs one training at a time', async () => {
  const desk = new Desk(SITE);
  await desk.open(new File([rowsOf('a', 'b')], 'rows.tsv'), false);
  const watcher = { begun() {}, event() {}, checkpoint() {} };
  const train = () => desk.train(LABELS, { epochs: 1, rank: 2 }, watcher);
  const first = train();
  await expect(train()).rejects.toThrow('A training is running');
  await expect(desk.resume(watcher)).rejects.toThrow('A training is running');
  await expect(first).rejects.toThrow(/config\.json/);
  await expect(train()).rejects.toThrow(/config\.json/);
});

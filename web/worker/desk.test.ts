import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Trained, type TrainedModel, type TrainResult, train } from '../../src/faces/web/index.ts';
import { Desk } from './desk.ts';

const { made } = vi.hoisted(() => ({ made: vi.fn<(trained: Trained) => Promise<TrainedModel>>() }));
vi.mock(import('../../src/faces/web/index.ts'), async (load) => {
  const all = await load();
  return { ...all, open: made, train: vi.fn(all.train) };
});

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

const toWav = async (file: File) => file;
const chosen = (file: File) => ({ path: file.name, file });

it('has the file that was opened last, even if an earlier one takes longer to read', async () => {
  const desk = new Desk(SITE);
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const slow = new File([rowsOf('old', 'older')], 'slow.tsv');
  const bytes = slow.arrayBuffer();
  slow.arrayBuffer = () => arrived.then(() => bytes);
  const first = desk.open([chosen(slow)], toWav, false);
  await desk.open([chosen(new File([rowsOf('new', 'newer')], 'quick.tsv'))], toWav, false);
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
  await desk.open([chosen(new File([rowsOf('old', 'older')], 'first.tsv'))], toWav, false);
  const begun = vi.fn();
  const watcher = { begun, event() {}, checkpoint() {}, probed() {} };
  const trained = desk.train(LABELS, { epochs: 1, rank: 2 }, watcher);
  const opened = desk.open([chosen(new File([rowsOf('new', 'newer')], 'second.tsv'))], toWav, false);
  // Training fails, because the encoder is not available.
  await expect(trained).rejects.toThrow(/config\.json/);
  expect(begun).toHaveBeenCalledWith(expect.objectContaining({ fileName: 'first.tsv', trainRows: 40 }));
  await opened;
});

it('runs one training at a time', async () => {
  const desk = new Desk(SITE);
  await desk.open([chosen(new File([rowsOf('a', 'b')], 'rows.tsv'))], toWav, false);
  const watcher = { begun() {}, event() {}, checkpoint() {}, probed() {} };
  const train = () => desk.train(LABELS, { epochs: 1, rank: 2 }, watcher);
  const first = train();
  await expect(train()).rejects.toThrow('A training is running');
  await expect(desk.resume(watcher)).rejects.toThrow('A training is running');
  await expect(first).rejects.toThrow(/config\.json/);
  await expect(train()).rejects.toThrow(/config\.json/);
});

it('opens a trained model again after a failure, and trains again though that model cannot be closed', async () => {
  const desk = new Desk(SITE);
  await desk.open([chosen(new File([rowsOf('a', 'b')], 'rows.tsv'))], toWav, false);
  const watcher = { begun() {}, event() {}, checkpoint() {}, probed() {} };
  const result = { reason: 'finished', step: 1, metrics: {}, adapter: new Map() } as unknown as TrainResult;
  vi.mocked(train).mockResolvedValueOnce(result).mockResolvedValueOnce(result);
  await desk.train(LABELS, { epochs: 1, rank: 2 }, watcher);
  made.mockRejectedValueOnce(new Error('no memory'));
  await expect(desk.predict('text')).rejects.toThrow('no memory');
  made.mockResolvedValueOnce({
    async *predict() {
      yield { probabilities: { a: 0.25, b: 0.75 } };
    },
    close: () => Promise.reject(new Error('the device is lost')),
  } as unknown as TrainedModel);
  expect(await desk.predict('text')).toEqual({
    probabilities: [
      ['b', 0.75],
      ['a', 0.25],
    ],
  });
  await expect(desk.train(LABELS, { epochs: 1, rank: 2 }, watcher)).resolves.toMatchObject({ step: 1 });
});

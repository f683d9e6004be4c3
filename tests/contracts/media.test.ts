import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { IMAGES } from '../../src/input/media/images/medium.ts';
import { MEDIA } from '../../src/input/media/media.ts';
import type { FileContent, Medium } from '../../src/input/media/medium.ts';
import { Contents } from '../../src/program/modalities/contents.ts';
import type { PredictRequest, Service } from '../../src/use/serving/service/service.ts';
import { newFolder } from '../support/new-folder.ts';

/* Tasks, requests and pages accept files of any medium. */

/** A file of three numbers after an S. */
const SMELLS: Medium = {
  ...IMAGES,
  name: 'smell',
  plural: 'smells',
  files: /\.smell$/,
  accept: 'application/x-smell',
  recognizes: (head) => head[0] === 0x53,
  request: { maxBody: 1000, unit: 'drops', count: ([, drops]) => drops, each: 50, together: 100 },
  small: 'three numbers',
};
const READER = {
  shape: [3],
  read: async (bytes: Uint8Array, where: string, most = Number.POSITIVE_INFINITY): Promise<FileContent> => {
    if (!SMELLS.recognizes(bytes) || bytes[1]! > most) throw new Error(`${where} stinks`);
    const small = Uint8Array.from(bytes.subarray(1));
    return {
      medium: 'smell',
      digest: small.join(),
      small,
      preview: () => `data:audio/smell;base64,${small[0]}`,
    };
  },
  write: ({ small }: FileContent, target: Float32Array, start: number) => target.set(small, start),
};
(MEDIA as Medium[]).push(SMELLS);
const modality = new Contents(SMELLS, READER, 'smells', 1);
const smell = (...numbers: number[]) => Uint8Array.of(0x53, ...numbers);

// The modules below list the media when they are loaded.
const { localData } = await import('../../src/input/data/node/text-files.ts');
const { taskNamed } = await import('../../src/tasks/registry.ts');
const { SentFiles } = await import('../../src/use/serving/service/sent-files.ts');
const { serveApp } = await import('../../src/faces/servers/serve/serve-app.ts');
const { startServer } = await import('../../src/faces/cli/commands/serve.ts');
const { ServerMetrics } = await import('../../src/faces/servers/serve/server-metrics.ts');

const folder = newFolder();
for (const [label, numbers] of Object.entries({ rose: [10, 11, 90], onion: [200, 210, 220] })) {
  mkdirSync(join(folder, label));
  for (const i of numbers) writeFileSync(join(folder, label, `${i}.smell`), smell(i, i, i));
}

describe('a task on labeled rows', () => {
  const task = taskNamed('single_label_classification');
  const reading = { text: 'smell', label: 'label' } as never;
  const read = async () => {
    const files = await modality.withContent(await localData.at(folder, false), ['smell'], {});
    return task.files.read(files, reading) as {
      rows: { text: string; content: FileContent; alike: string }[];
    };
  };

  it('reads a folder of classes, and finds near-equal files', async () => {
    const rows = await read();
    expect(rows.rows.map(({ text }) => text)).toHaveLength(6);
    const alike = rows.rows.filter(({ text }) => /rose.1[01]/.test(text)).map((row) => row.alike);
    expect(new Set(alike).size).toBe(1);
    expect(task.files.notices!(rows as never)[0]).toContain('2 smells are nearly equal');
    expect(task.files.detected!(rows as never, reading)).toEqual({ medium: 'smell' });
  });

  it('makes batches of the contents', async () => {
    const { rows } = await read();
    const encoded = modality.rows(rows);
    expect(encoded.feeds([1, 5], 0)).toEqual({
      smells: { data: Float32Array.from([210, 210, 210, 90, 90, 90]), dims: [2, 3] },
    });
    const { batches } = modality;
    const one = batches.rowsOf(encoded.feeds([1, 5], 0));
    expect(batches.joined(one.slice(1))).toEqual(encoded.feeds([5], 0));
  });

  it('compares with a model of their small versions', async () => {
    const rows = await read();
    const labels = ['onion', 'rose'];
    const found = await task.baselines!.ofRows!(rows as never, rows as never, { labels } as never);
    expect(found[0]).toMatchObject({ name: 'a linear model of three numbers', scores: { accuracy: 1 } });
  });

  it('describes its models', () => {
    const data = { medium: 'smell' } as never;
    expect(task.words.trainedFor(data)).toContain('smells');
    expect(task.words.use(data).explanation).toBe('a line of JSON for each smell in the folder');
  });
});

describe('a request', () => {
  const sent = new SentFiles();
  const base64 = (file: Uint8Array) => Buffer.from(file).toString('base64');

  it('has files in base64 or as bytes, within limits', async () => {
    const inputs = [{ text: base64(smell(1, 2, 3)) }, { text: 'a', file: smell(4, 5, 6) }];
    expect(await sent.read(inputs, modality)).toMatchObject([
      { text: 'inputs[0]', content: { digest: '1,2,3' } },
      { text: 'a', content: { digest: '4,5,6' } },
    ]);
    const refuse = (...files: Uint8Array[]) =>
      expect(
        sent.read(
          files.map((file) => ({ text: '', file })),
          modality,
        ),
      ).rejects;
    await refuse(smell(60), smell(60)).toThrow('inputs have 120 drops');
    await refuse(smell(60)).toThrow('inputs[0] stinks');
    await expect(sent.read([{ text: 'x' }], modality)).rejects.toThrow('is no smell in base64');
  });

  it('names the medium in JSON and in a form, whose page lists it', async () => {
    const asked: PredictRequest[] = [];
    const service = {
      async predict(request: PredictRequest) {
        asked.push(request);
        return [[]];
      },
    };
    const { app } = serveApp(service as unknown as Service, {
      metrics: new ServerMetrics(),
      allowLoading: false,
      maxBody: 10_000,
      maxRequests: 10,
      maxSeconds: 10,
      version: '0',
      log() {},
      onFault(error) {
        throw error;
      },
    });
    const form = new FormData();
    form.set('model', 'm');
    form.append('smell', new Blob([smell(1, 2, 3)]), 'a.smell');
    const json = { model: 'm', inputs: { smell: base64(smell(1, 2, 3)) } };
    const { server, url } = await startServer(app, '127.0.0.1', 0);
    onTestFinished(() => void server.close());
    const post = async (body: FormData | string, headers = {}) =>
      (await fetch(`${url}/predict`, { method: 'POST', body, headers })).status;
    expect(await post(form)).toBe(200);
    expect(await post(JSON.stringify(json), { 'content-type': 'application/json' })).toBe(200);
    expect(asked.map(({ inputs }) => inputs)).toEqual([
      [{ text: 'a.smell', file: smell(1, 2, 3) }],
      [{ text: '', file: json.inputs.smell }],
    ]);
    const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
    expect(page).toContain('"smell":{"plural":"smells","accept":"application/x-smell"}');
  });
});

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type CommitServer, startCommitServer } from '../../../tests/support/commit-server.ts';
import { UserError } from '../../support/user-error.ts';
import { uploadFiles } from './upload.ts';

const FILES = new Map([
  ['README.md', new Blob(['a'])],
  ['adapter_model.safetensors', new Blob(['bb'])],
]);
const upload = (endpoint: string) =>
  uploadFiles('o/n', FILES, {}, { endpoint, offline: false, token: 'hf_T', patience: 300 });

let close: () => unknown;
afterEach(() => close());

it.each<[string, RequestListener, RegExp]>([
  ['never answers', () => {}, /no answer within 0\.3 s/],
  [
    'never ends its answer',
    (_, response) => void response.writeHead(200).write('{'),
    /no answer within 0\.3 s/,
  ],
  ['answers with a page', (_, response) => void response.end('<html>'), /could not be uploaded/],
  ['answers with an empty object', (_, response) => void response.end('{}'), /could not be uploaded/],
])('refuses a hub that %s', async (_, answer, message) => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  close = () => server.close().closeAllConnections();
  const error = await upload(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).catch((e) => e);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toMatch(message);
});

it.each<[string, RegExp, unknown, RegExp]>([
  ['an LFS batch without objects', /batch$/, { objects: [] }, /lacks 1 of the objects/],
  ['an LFS batch without a list', /batch$/, {}, /lacks 1 of the objects/],
  ['an LFS batch of null', /batch$/, null, /lacks 1 of the objects/],
  ['no files of the commit', /preupload/, { files: [] }, /lacks 2 of the files/],
  ['no commit', /commit\/main$/, {}, /names no commit/],
])('refuses a hub that answers with %s', async (_, path, answer, message) => {
  const hub: CommitServer = await startCommitServer('hf_T');
  close = hub.close;
  hub.replace = (_, asked) => (path.test(asked) ? answer : undefined);
  const error = await upload(hub.endpoint).catch((e) => e);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toMatch(message);
  hub.replace = () => undefined;
  expect(await upload(hub.endpoint)).toMatchObject({ commit: expect.stringMatching(/^[0-9a-f]{40}$/) });
});

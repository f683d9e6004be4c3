import { expect, it } from 'vitest';
import { loadEngine } from './create-session.ts';

const failing = (code: string, message: string) => () =>
  Promise.reject(Object.assign(new Error(message), { code }));

it('says how to install an engine that a package manager has skipped', async () => {
  const load = failing('ERR_MODULE_NOT_FOUND', "Cannot find package 'onnxruntime-node' imported from /x.js");
  await expect(loadEngine(load)).rejects.toThrow(
    'onnxruntime-node is not installed. Run: npm install onnxruntime-node@1 --ignore-scripts',
  );
});

it('says which system has no binary', async () => {
  const load = failing('ERR_DLOPEN_FAILED', 'libc.so.6: version GLIBC_2.99 not found\nmore');
  await expect(loadEngine(load)).rejects.toThrow(
    `has no binary for ${process.platform}/${process.arch}: libc.so.6: version GLIBC_2.99 not found.`,
  );
});

it('passes other failures on unchanged', async () => {
  await expect(loadEngine(failing('ERR_OTHER', 'boom'))).rejects.toThrow(/^boom$/);
});

import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import { asFiles, type Files } from '../../input/formats/files.ts';
import { checkLayer, encodeLayer, LAYER_FILE, readLayer } from './layer-file.ts';

const LAYER = { weight: Float32Array.of(1, 2, 3, 4, 5, 6), bias: Float32Array.of(0.5, -0.5) };

function filesWith(chunks: readonly Uint8Array[] | Uint8Array): Files {
  const bytes = Buffer.concat([chunks].flat());
  return asFiles(new Map([[LAYER_FILE, new Uint8Array(bytes)]]), 'run');
}

describe('the file of a layer', () => {
  it('gives the layer again', async () => {
    expect(await readLayer(filesWith(encodeLayer(LAYER)))).toEqual(LAYER);
    expect(await readLayer(asFiles(new Map(), 'run'))).toBeUndefined();
  });

  it.each<[string, Uint8Array[] | Uint8Array]>([
    ['that is no safetensors file', new Uint8Array(20)],
    ['with a value that is not finite', encodeLayer({ ...LAYER, bias: Float32Array.of(0.5, Number.NaN) })],
    ['that was cut', Buffer.concat(encodeLayer(LAYER)).subarray(0, -4)],
    [
      'whose shapes contradict each other',
      encodeSafetensors(
        new Map([
          ['weight', { dtype: 'F32', shape: [3, 2], data: LAYER.weight }],
          ['bias', { dtype: 'F32', shape: [2], data: LAYER.bias }],
        ]),
      ),
    ],
    [
      'without a bias',
      encodeSafetensors(new Map([['weight', { dtype: 'F32', shape: [2, 3], data: LAYER.weight }]])),
    ],
  ])('%s is an error that names it', async (_, bytes) => {
    await expect(readLayer(filesWith(bytes))).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(LAYER_FILE),
    });
  });

  it('must fit the vectors and the labels of the model', () => {
    const fits = { width: 3, columns: 1, outputs: 2 };
    expect(() => checkLayer(LAYER, fits, 'run')).not.toThrow();
    expect(() => checkLayer(LAYER, { ...fits, columns: 2 }, 'run')).toThrow(
      '2 labels and 3 features, but the model has 2 and 12',
    );
    expect(() => checkLayer(undefined, fits, 'run')).toThrow('run has no head.safetensors');
  });
});

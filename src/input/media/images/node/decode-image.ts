import type Sharp from 'sharp';
import { viewBytes } from '../../../../support/arrays.ts';
import { lazy } from '../../../../support/options.ts';
import { UserError } from '../../../../support/user-error.ts';
import { assertDecodable, fromInks, onWhite, undecodable } from '../decoded.ts';
import { readImageHeader } from '../image-header.ts';
import { MAX_PIXELS, type Pixels } from '../pixels.ts';

/** sharp is an optional peer, because its binaries are large, libvips is LGPL, and only images need it. */
const loadSharp = lazy(async (): Promise<typeof Sharp> => {
  try {
    const { default: sharp } = await import('sharp');
    // Its cache would keep decoded images.
    sharp.cache(false);
    return sharp;
  } catch {
    throw new UserError({
      where: 'the package sharp',
      fault: 'is not installed, but images need it',
      hint: 'Run npm install sharp.',
    });
  }
});

/**
 * Decodes a JPEG, PNG, WebP or GIF file (its first frame) to red, green and blue: rotated by its EXIF orientation,
 * transparency on white, the upper 8 bits of 16 (grey without transparency is clipped at 255). Color profiles are ignored, as Pillow does.
 *
 * @throws FileTooLarge; UserError for other files, and for files that are damaged or truncated
 */
export async function decodeImage(bytes: Uint8Array, name: string, maxPixels = MAX_PIXELS): Promise<Pixels> {
  const facts = readImageHeader(bytes);
  assertDecodable(name, bytes.length, facts, maxPixels);
  const sharp = await loadSharp();
  // The default limit counts pixels too. They are counted before, for a better message.
  const open = () => sharp(bytes, { ignoreIcc: true, failOn: 'truncated', limitInputPixels: false });
  const { space, channels } = await read(() => open().metadata(), name);
  const isInk = space === 'cmyk';
  const oriented = open().autoOrient();
  if (facts?.isDeepGrey && channels === 1) {
    const deep = oriented.toColourspace('grey16').raw({ depth: 'ushort' });
    return clipDeep(await read(() => deep.toBuffer({ resolveWithObject: true }), name));
  }
  const pipeline = isInk ? oriented.pipelineColourspace('cmyk').toColourspace('cmyk') : oriented;
  const { data, info } = await read(() => pipeline.raw().toBuffer({ resolveWithObject: true }), name);
  const decoded = { width: info.width, height: info.height, data: viewBytes(data) };
  if (isInk) return fromInks(decoded);
  return info.channels === 4 ? onWhite(decoded) : decoded;
}

/** Grey of 16 bits as Pillow converts it: larger values than 255 are white. */
function clipDeep({ data, info }: { data: Buffer; info: { width: number; height: number } }): Pixels {
  const clipped = new Uint8Array(info.width * info.height * 3);
  for (let i = 0; i < info.width * info.height; i++)
    clipped.fill(Math.min(255, data.readUInt16LE(i * 2)), i * 3, i * 3 + 3);
  return { width: info.width, height: info.height, data: clipped };
}

async function read<T>(attempt: () => Promise<T>, name: string): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw undecodable(name, reason!);
  }
}

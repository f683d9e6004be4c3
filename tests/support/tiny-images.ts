import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** Settings of the tiny model's image processor. */
export const TINY_PROCESSOR = {
  image_processor_type: 'BitImageProcessor',
  size: { shortest_edge: 14 },
  crop_size: { height: 12, width: 12 },
};

/** Writes a tiny DINOv2 with random weights. */
export function writeImageModel(folder: string): void {
  cpSync('src/models/fixtures/models/dinov2-pictures', folder, { recursive: true });
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(TINY_PROCESSOR));
}

/** Writes a folder with eight pictures in a folder for each of three classes, which a linear model tells apart. */
export async function writeImages(folder: string): Promise<void> {
  for (const [channel, name] of ['red', 'green', 'blue'].entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < 8; i++) await picture(join(folder, name, `${i}.png`), channel, i);
  }
}

/** A picture with a gradient in one channel. */
async function picture(path: string, channel: number, i: number): Promise<void> {
  const data = Uint8Array.from({ length: 20 * 16 * 3 }, (_, at) =>
    at % 3 === channel ? 150 + ((at * 7 + i * 31) % 100) : (at * (i + 3)) % 60,
  );
  await sharp(data, { raw: { width: 20, height: 16, channels: 3 } })
    .png()
    .toFile(path);
}

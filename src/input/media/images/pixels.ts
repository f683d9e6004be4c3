/** A decoded image: red, green and blue of each pixel, row by row from the top. */
export interface Pixels {
  width: number;
  height: number;
  /** [height, width, 3] */
  data: Uint8Array;
}

/**
 * Maximum number of pixels of a file. A decoded image has 3 to 4 bytes per pixel, so one image takes at most 400 MB.
 * The largest phone cameras usually save 12 to 50 million.
 */
export const MAX_PIXELS = 100_000_000;

/** A rectangle of an image. */
export interface PixelBox {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Copies a rectangle. Pixels outside the image are black, as in transformers. */
export function crop({ width, height, data }: Pixels, box: PixelBox): Pixels {
  const cropped = new Uint8Array(box.width * box.height * 3);
  const from = Math.max(0, box.left);
  const to = Math.min(width, box.left + box.width);
  for (let y = 0; y < box.height; y++) {
    const row = box.top + y;
    if (row < 0 || row >= height || to <= from) continue;
    cropped.set(
      data.subarray((row * width + from) * 3, (row * width + to) * 3),
      (y * box.width + from - box.left) * 3,
    );
  }
  return { width: box.width, height: box.height, data: cropped };
}

/** Mirrors an image left to right. */
export function flipped({ width, height, data }: Pixels): Pixels {
  const mirrored = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      mirrored.set(data.subarray(from, from + 3), (y * width + width - 1 - x) * 3);
    }
  return { width, height, data: mirrored };
}
